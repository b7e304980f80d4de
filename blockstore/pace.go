package blockstore

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// pace decides when to commit (docs/adr/0004-when-to-commit.md). A card has a finite life and a slow sync, a publisher has a window: commits come at
// the base cadence, and earlier when somebody waits and the write budget allows it.
type pace struct {
	interval time.Duration
	eager    bool
	budget   *rate.Limiter // in bytes that early commits cost above the cadence; nil is unlimited
	wake     chan struct{}

	waiting atomic.Bool // a publisher waits, or many bytes do
	hurry   atomic.Bool // a publisher stands still
	soon    atomic.Bool // a sink with a backlog waits for its turn's commit
	hasty   atomic.Bool // the gateway stops: whoever waits is served at once

	base time.Time // when the latest commit of the base cadence began
}

func newPace(cfg *Config) *pace {
	p := &pace{interval: cfg.CommitInterval.D(), eager: cfg.Commit == "eager", wake: make(chan struct{}, 1)}
	if cfg.WriteBudget >= 0 {
		p.budget = rate.NewLimiter(rate.Limit(cfg.WriteBudget), int(min(cfg.WriteBurst, 1<<30)))
	}
	return p
}

// poke raises a flag and wakes the committer the first time.
func (p *pace) poke(flag *atomic.Bool) {
	if !flag.Load() && !flag.Swap(true) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// wait blocks until a round is due. It reports whether the round is an early one, whose cost is to be charged, and false
// for ok when ctx has ended.
func (p *pace) wait(ctx context.Context) (early, ok bool) {
	timer := time.NewTimer(time.Until(p.base.Add(p.interval)))
	defer timer.Stop()
	for {
		if time.Since(p.base) >= p.interval {
			p.base = time.Now()
			return false, ctx.Err() == nil
		}
		if p.hurry.Load() || (p.soon.Load() || p.waiting.Load()) && (p.eager || p.hasty.Load() || p.affordable()) {
			return true, ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false, false
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// begin lowers the flags: who waits from here on is served by the next round.
func (p *pace) begin() {
	p.waiting.Store(false)
	p.hurry.Store(false)
	p.soon.Store(false)
}

func (p *pace) affordable() bool { return p.budget == nil || p.budget.Tokens() > 0 }

// charge books what an early commit cost above what its data would have cost at the cadence anyway.
func (p *pace) charge(bytes int64) {
	if p.budget != nil && bytes > 0 {
		p.budget.ReserveN(time.Now(), int(min(bytes, int64(p.budget.Burst()))))
	}
}

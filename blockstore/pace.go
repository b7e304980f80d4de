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

	timer *time.Timer // the committer's own, as what follows
	more  bool        // blocks wait that the last round has left: the committer's own
	base  time.Time   // when the latest round began that the base cadence counts from
}

func newPace(cfg *Config) *pace {
	p := &pace{interval: cfg.CommitInterval.D(), eager: cfg.Commit == "eager", wake: make(chan struct{}, 1), timer: time.NewTimer(0)}
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
//
// What a round has left is no early one: it would have been in that round, and is large enough that its commit is little beside it.
func (p *pace) wait(ctx context.Context) (early, ok bool) {
	if p.more && ctx.Err() == nil {
		p.more = false
		return false, true
	}
	for {
		since := time.Since(p.base)
		if since >= p.interval {
			p.base = time.Now()
			return false, ctx.Err() == nil
		}
		next := p.interval
		if p.soon.Load() || p.waiting.Load() {
			next = p.gap()
		}
		if p.hurry.Load() || since >= next {
			p.base = time.Now() // what waits now is served by this round: the cadence begins anew
			return true, ctx.Err() == nil
		}
		p.timer.Reset(next - since)
		select {
		case <-ctx.Done():
			return false, false
		case <-p.wake:
		case <-p.timer.C:
		}
	}
}

// lowBudget is the part of the burst below which early commits keep a distance.
const lowBudget = 1. / 32

// gap is how long after the last round an early one may come. While there is much of the budget it is nothing. When little is left it grows to
// the cadence: a commit right behind another one serves few and costs as much, and next to the cadence it takes that one's place.
func (p *pace) gap() time.Duration {
	if p.eager || p.budget == nil || p.hasty.Load() {
		return 0
	}
	left := p.budget.Tokens()
	if left <= 0 {
		return p.interval
	}
	return time.Duration(max(0, 1-left/(lowBudget*float64(p.budget.Burst()))) * float64(p.interval))
}

// Patience is how long somebody who waits has to, at most: 0 while the write budget bears an early commit. It is quick, and may be called by any goroutine.
func (s *Store) Patience() time.Duration {
	if s.pace.affordable() {
		return 0
	}
	return s.pace.gap()
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

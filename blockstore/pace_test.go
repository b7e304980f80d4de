package blockstore

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"edged/internal/conf"
)

// Who gets a commit before the cadence, with a budget, when it is spent, with eager, and at the stop.
func TestPace(t *testing.T) {
	const interval = 10 * time.Second
	for _, c := range []struct {
		name                 string
		spent, eager, stop   bool
		waiting, hurry, soon bool
		early                bool
	}{
		{name: "nobody waits"},
		{name: "a publisher waits", waiting: true, early: true},
		{name: "a sink waits", soon: true, early: true},
		{name: "a publisher waits, the budget is spent", spent: true, waiting: true},
		{name: "a sink waits, the budget is spent", spent: true, soon: true},
		{name: "a publisher stands still, the budget is spent", spent: true, hurry: true, early: true},
		{name: "a publisher waits, spent, eager", spent: true, eager: true, waiting: true, early: true},
		{name: "a sink waits, spent, eager", spent: true, eager: true, soon: true, early: true},
		{name: "a publisher waits, spent, at the stop", spent: true, stop: true, waiting: true, early: true},
		{name: "a sink waits, spent, at the stop", spent: true, stop: true, soon: true, early: true},
		{name: "nobody waits, at the stop", stop: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := Default()
			cfg.CommitInterval, cfg.WriteBudget, cfg.WriteBurst = conf.Duration(interval), 1, 1<<20
			if c.eager {
				cfg.Commit = "eager"
			}
			p := newPace(cfg)
			p.base = time.Now()
			if c.spent {
				p.charge(1<<20 + 1<<10)
				p.charge(1 << 10)
			}
			p.hasty.Store(c.stop)
			go func() {
				time.Sleep(time.Second)
				if c.waiting {
					p.poke(&p.waiting)
				}
				if c.hurry {
					p.poke(&p.hurry)
				}
				if c.soon {
					p.poke(&p.soon)
				}
			}()
			began := time.Now()
			early, ok := p.wait(context.Background())
			want := interval
			if c.early {
				want = time.Second
			}
			if took := time.Since(began); !ok || early != c.early || took != want {
				t.Errorf("%s: a commit after %v, early %t", c.name, took, early)
			}
		})
	}
}

// When little of the budget is left, early commits come next to the cadence, where they take the place of one; a commit right behind another one would serve few. When
// there is much of it, they come at once. Nobody waits for longer than the cadence either way.
func TestEarlyCommitsKeepADistance(t *testing.T) {
	const interval = 200 * time.Millisecond
	for name, rich := range map[string]bool{"a full budget": true, "little is left": false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := Default()
			cfg.CommitInterval, cfg.WriteBudget, cfg.WriteBurst = conf.Duration(interval), 25e3, 100<<20
			p := newPace(cfg)
			if !rich {
				p.charge(100 << 20)
			}
			ctx, cancel := context.WithCancel(context.Background())
			var sender sync.WaitGroup
			defer sender.Wait()
			defer cancel()
			sender.Go(func() {
				for ctx.Err() == nil {
					p.poke(&p.waiting)
					time.Sleep(20 * time.Millisecond)
				}
			})
			rounds, earlies, last := 0, 0, time.Now()
			for began := time.Now(); time.Since(began) < time.Minute; rounds++ {
				early, _ := p.wait(ctx)
				if gap := time.Since(last); gap > interval {
					t.Fatalf("%s: nothing for %v", name, gap)
				}
				last = time.Now()
				p.begin()
				if early {
					earlies++
					p.charge(17e3)
				}
			}
			cadence := int(time.Minute / interval)
			if rich && rounds < 5*cadence {
				t.Errorf("%s: %d rounds a minute", name, rounds)
			}
			if !rich && (rounds > cadence*21/20 || earlies < 60) {
				t.Errorf("%s: %d rounds a minute where the cadence has %d, %d early ones", name, rounds, cadence, earlies)
			}
		})
	}
}

package supervise

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

func TestRestartsByClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Part
		var waits []time.Duration
		last := time.Now()
		calls := 0
		err := p.Run(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) error {
			calls++
			if calls > 1 {
				waits = append(waits, time.Since(last))
			}
			last = time.Now()
			switch calls {
			case 1:
				return errors.New("no route")
			case 2:
				panic("a bug")
			}
			return edged.WithClass(errors.New("bad password"), edged.Permanent)
		})
		if err != nil || calls != 3 {
			t.Fatalf("%d calls, %v", calls, err)
		}
		if waits[0] < time.Second || waits[0] > 3*time.Second {
			t.Errorf("first wait %v, want 2 s with jitter", waits[0])
		}
		if s := p.State(); s.State != "stopped" || s.Restarts != 2 || s.LastErr != "bad password" {
			t.Errorf("%+v", s)
		}
	})
}

func TestAStableRunResetsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Part
		calls := 0
		var ended time.Time
		var wait time.Duration
		p.Run(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) error {
			calls++
			if calls == 8 { // seven quick failures have driven the wait up
				time.Sleep(2 * Stable)
			}
			if calls == 9 {
				wait = time.Since(ended)
				return nil
			}
			ended = time.Now()
			return errors.New("again")
		})
		if wait > 3*time.Second {
			t.Fatalf("waited %v after a stable run", wait)
		}
	})
}

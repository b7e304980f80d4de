package delivery

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"
)

// lateStore is a store whose commits take their time.
type lateStore struct {
	*memStore
	takes time.Duration
}

func (s *lateStore) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	time.Sleep(s.takes)
	return s.memStore.Commit(ctx, u, soon)
}

// Rows are held until the sink has them: a turn holds half of what it may where commits are quick, and all of it where each turn costs a slow one.
func TestATurnIsAsLargeAsCommitsAreSlow(t *testing.T) {
	for takes, rows := range map[time.Duration]int{0: 10, slowCommit - 1: 10, slowCommit: 20, time.Second: 20} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemStore()
			f, sink, most := newNumbers(m, "s"), &logSink{}, 0
			sink.before = func(turn []edged.Delivery) (int, error) {
				n := 0
				for _, d := range turn {
					n += d.Rows.Len()
				}
				most = max(most, n)
				return len(turn), nil
			}
			w := newWriter(m, sink, spec.Limits{Rows: 1000, Bytes: 50}, spec1("s", f))
			w.o.Store, w.o.TurnBytes = &lateStore{m, takes}, 200 // twenty rows
			f.grow(400)
			run(t, w, func() { nap(time.Hour) })
			if most != rows {
				t.Errorf("with commits of %v a turn has %d rows, not %d", takes, most, rows)
			}
		})
	}
}

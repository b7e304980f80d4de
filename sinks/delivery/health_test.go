package delivery

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"
	"edged/test/await"
)

// A sink that takes every other turn for an hour is said once a minute at most, and its status follows it all the same.
func TestAFlappingSinkDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		writes := 0
		sink := &logSink{before: func(turn []edged.Delivery) (int, error) {
			if writes++; writes%2 == 0 {
				return 0, edged.Explain(errors.New("POST: the answer is 503"), "503", "look there")
			}
			return len(turn), nil
		}}
		log := &await.Log{}
		w := newWriter(m, sink, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
		w.o.Log = slog.New(slog.NewTextHandler(log, nil))
		run(t, w, func() {
			seen := map[string]bool{}
			for i := range uint64(3600) {
				f.grow(i + 2)
				nap(time.Second)
				_, h := w.Status()
				seen[h.State+" "+h.Cause+" "+h.Remedy] = true
			}
			if !seen["ok  "] || !seen["waiting 503 look there"] || len(seen) > 3 {
				t.Errorf("status said %v", seen)
			}
		})
		if n := log.Count("does not take rows"); n < 20 || n > 61 || log.Count("takes rows again") > n {
			t.Errorf("the outage was logged %d times in an hour, its end %d times", n, log.Count("takes rows again"))
		}
	})
}

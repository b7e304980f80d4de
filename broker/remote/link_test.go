package remote

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/broker/seldom"

	"github.com/VictoriaMetrics/metrics"
)

func newLink() *link {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return &link{cfg: Default(), what: "test", log: log, seldom: seldom.New(log), connects: metrics.NewSet().GetOrCreateCounter("connects")}
}

// waits runs a link for so long and returns the times between the ends of its connections and the next attempts.
func waits(t *testing.T, run time.Duration, serve func(up func())) (out []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), run)
	defer cancel()
	var ended time.Time
	err := newLink().run(ctx, func(_ context.Context, up func()) error {
		if !ended.IsZero() {
			out = append(out, time.Since(ended))
		}
		serve(up)
		ended = time.Now()
		return errors.New("gone")
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGatewaysDoNotComeBackInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := waits(t, time.Hour, func(func()) {}), waits(t, time.Hour, func(func()) {})
		same := 0
		for i := range min(len(a), len(b)) {
			if a[i] == b[i] {
				same++
			}
			if a[i] > 18*time.Second {
				t.Errorf("waited %v", a[i])
			}
		}
		if same > 3 {
			t.Fatalf("%d of %d waits are the same", same, len(a))
		}
		if a[0] > 1500*time.Millisecond || a[len(a)-1] < 6*time.Second {
			t.Fatalf("the waits do not grow: %v … %v", a[0], a[len(a)-1])
		}
	})
}

func TestOnlyAStableConnectionMakesTheWaitShortAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flapping := waits(t, 10*time.Minute, func(up func()) { up(); time.Sleep(time.Second) })
		if last := flapping[len(flapping)-1]; last < 6*time.Second {
			t.Fatalf("a broker that accepts and drops is besieged: waited %v", last)
		}
		good := waits(t, time.Hour, func(up func()) { up(); time.Sleep(stable) })
		for _, d := range good {
			if d > 1500*time.Millisecond {
				t.Fatalf("waited %v after a stable connection", d)
			}
		}
	})
}

func TestAPermanentErrorEndsIt(t *testing.T) {
	want := edged.WithClass(errors.New("no"), edged.Permanent)
	if err := newLink().run(t.Context(), func(context.Context, func()) error { return want }); err != want {
		t.Fatal(err)
	}
}

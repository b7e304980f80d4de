package headroom

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"edged/test/await"
)

func TestTheHeapHasItsUsualSize(t *testing.T) {
	const mib = 1 << 20
	for live, size := range map[int64]int64{1: 2, 10: 20, 20: 40, 25: 40, 26: 40, 30: 45, 36: 54, 40: 60, 50: 75, 60: 100, 80: 160, 400: 800} {
		if got := live + live*int64(percent(40*mib, live*mib))/100; got < size-1 || got > size+1 {
			t.Errorf("with %d MiB that live the heap grows to %d, not to %d", live, got, size)
		}
	}
}

// However much lives, what may be allocated until the next collection is half of it at least, and all of it for those who need much more than is usual.
func TestTheCollectorIsNotDriven(t *testing.T) {
	const usual = 40 << 20
	for live := int64(0); live < 1<<30; live += 100_000 {
		p := percent(usual, live)
		if p < 49 || p > 100 || live >= 2*usual && p != 100 {
			t.Fatalf("GOGC is %d with %d bytes", p, live)
		}
	}
}

func gogc() uint64 {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// GOGC follows what lives, in both directions, and is what it was when Keep has ended.
func TestGOGCFollowsWhatLives(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Keep(ctx, 40<<20) }()
	collect := func(what string, ok func(p uint64) bool) {
		t.Helper()
		await.Soon(t, what, func() bool { runtime.GC(); return ok(gogc()) })
	}
	collect("little lives", func(p uint64) bool { return p == 100 })
	much := make([]byte, 30<<20)
	collect("much lives", func(p uint64) bool { return p <= 50 })
	runtime.KeepAlive(much)
	much = nil
	collect("little lives again", func(p uint64) bool { return p == 100 })
	cancel()
	if err := <-ended; err != nil || gogc() != 77 {
		t.Errorf("%v, and GOGC is %d", err, gogc())
	}
	for range 3 {
		runtime.GC()
	}
	if gogc() != 77 {
		t.Errorf("GOGC is %d behind the end", gogc())
	}
}

// Who sets GOGC knows what for.
func TestGOGCOfTheEnvironmentStays(t *testing.T) {
	t.Setenv("GOGC", "77")
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Keep(ctx, 1<<20) }()
	for range 5 {
		runtime.GC()
	}
	cancel()
	if <-ended; gogc() != 77 {
		t.Errorf("GOGC is %d", gogc())
	}
}

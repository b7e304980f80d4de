package intake

import (
	"testing"
	"testing/synctest"
)

// retain is a publish of QoS 0 that changes a retained message, which the test makes durable.
func retain(holds int) (*Publish, *change) {
	x, c := pub(0, 0), &change{}
	x.Retained, x.Holds = c, holds
	return x, c
}

func TestRetainedChangesUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, limits := range map[string]Limits{
			"of a session": {Inflight: 10, Pending: 100, Bytes: small, Total: 1 << 30},
			"of all":       {Inflight: 10, Pending: 100, Bytes: 1 << 30, Total: small},
		} {
			in := newIntake(limits)
			p := connect(in.NewSession("c"), true)
			first, c := retain(small)
			take(t, p, first)
			second, _ := retain(small)
			take(t, p, second) // it is not taken in time, and lost as QoS 0 may be
			if in.Dropped() != 1 || in.Pending() != 1 {
				t.Fatalf("%s: %d dropped, %d pending", name, in.Dropped(), in.Pending())
			}
			done := make(chan error, 1)
			third, last := retain(small)
			go func() { done <- p.link.Take(third) }()
			synctest.Wait()
			c.done(nil)
			if err := <-done; err != nil || in.Dropped() != 1 {
				t.Fatal(name, err, in.Dropped())
			}
			last.done(nil)
			if in.kept.used.Load() != 0 || p.link.s.bytes != 0 {
				t.Errorf("%s: %d and %d bytes are counted for nothing", name, in.kept.used.Load(), p.link.s.bytes)
			}
			in.Stop()
		}
	})
}

// What the change holds is given back when the entry leaves; what waits for subscribers, when they have it.
func TestAChangeIsGivenBackBeforeItsDelivery(t *testing.T) {
	in := newIntake(roomy)
	p := connect(in.NewSession("c"), true)
	var seen []string
	x, c := retain(1000)
	x.After, x.Keeps = delivery{"x", &seen}, 300
	take(t, p, x)
	if got := in.kept.used.Load(); got != int64(kept(1000)+kept(300)) {
		t.Fatal(got)
	}
	c.done(nil)
	if got := in.kept.used.Load(); got != int64(kept(300)) || len(seen) != 1 {
		t.Fatal(got, seen)
	}
	in.Delivered(300)
	if got := in.kept.used.Load(); got != 0 {
		t.Fatal(got)
	}
}

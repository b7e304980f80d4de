package intake

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

func TestAFailedCommitIsNeverAcknowledged(t *testing.T) {
	for _, c := range []struct {
		name    string
		v5      bool
		err     error
		want    []packet
		severed bool
	}{
		{"5, full", true, edged.ErrFull, []packet{{puback, 1, 0}, {puback, 2, CodeQuota}, {puback, 3, 0}}, false},
		{"5, other", true, errors.New("EIO"), nil, true},
		{"3.1.1, full", false, edged.ErrFull, nil, true},
		{"3.1.1, other", false, errors.New("EIO"), nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newIntake(roomy)
			s, r := in.NewSession("c"), &receiver{}
			p := connect(s, c.v5)
			var seen []string
			bad := pub(2, 1, r)
			bad.After = delivery{"bad", &seen}
			take(t, p, pub(1, 1, r), bad, pub(3, 1, r))
			r.commit(1, nil)
			r.commit(1, c.err)
			r.commit(1, nil)
			if got := p.read(); !slices.Equal(got, c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			if (p.severed != nil) != c.severed {
				t.Fatalf("severed: %v", p.severed)
			}
			if !slices.Equal(seen, []string{"-bad"}) {
				t.Fatalf("a message that is not stored was delivered: %v", seen)
			}
			if in.Pending() != 0 || in.Refused() != 1 {
				t.Fatal(in.Pending(), in.Refused())
			}
			if !c.severed {
				return
			}
			// 1 and 3 are durable and owed; 2 is stored again.
			b := connect(s, c.v5)
			take(t, b, dup(pub(1, 1, r)), dup(pub(2, 1, r)), dup(pub(3, 1, r)))
			r.commit(1, nil)
			ids(t, b.read(), puback, 1, 2, 3)
			if r.count() != 4 {
				t.Fatal(r.count())
			}
		})
	}
}

// never is a receiver without room.
func never(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestWhatIsNotTakenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(roomy)
		r := &receiver{refuse: never}
		began := time.Now()
		five := connect(in.NewSession("five"), true)
		take(t, five, pub(1, 1, r), pub(2, 2, r))
		if got := five.read(); !slices.Equal(got, []packet{{puback, 1, CodeQuota}, {pubrec, 2, CodeQuota}}) {
			t.Fatal(got)
		}
		if d := time.Since(began); d != 2*time.Second {
			t.Fatalf("waited %v for two publishes with a patience of 1 s", d)
		}
		three := connect(in.NewSession("three"), false)
		if err := three.link.Take(pub(1, 1, r)); !errors.Is(err, ErrNotInTime) {
			t.Fatal(err)
		}
		if got := three.read(); len(got) != 0 {
			t.Fatal(got)
		}
		if err := three.link.Offer(pub(0, 0, r)); err != nil || in.Dropped() != 1 {
			t.Fatal(err, in.Dropped())
		}
		if in.Refused() != 3 || in.Pending() != 0 {
			t.Fatal(in.Refused(), in.Pending())
		}
		in.Stop() // ends the contexts of the connections
	})
}

func TestATakeoverEndsABlockedTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(roomy)
		s, r := in.NewSession("c"), &receiver{refuse: never}
		a := connect(s, false)
		done := make(chan error)
		go func() { done <- a.link.Take(pub(1, 1, r)) }()
		synctest.Wait()
		began := time.Now()
		b := connect(s, false)
		if err := <-done; err != ErrClosed || time.Since(began) != 0 {
			t.Fatal(err)
		}
		r.refuse = nil
		take(t, b, dup(pub(1, 1, r)))
		r.commit(1, nil)
		ids(t, b.read(), puback, 1)
		if r.count() != 1 {
			t.Fatal(r.count())
		}
		in.Stop()
	})
}

func TestAReceiveMaximumIsAMaximum(t *testing.T) {
	in := newIntake(Limits{Inflight: 3, Pending: 1000, Bytes: 1 << 20, Total: 1 << 30})
	s, r := in.NewSession("c"), &receiver{}
	p := connect(s, true)
	take(t, p, pub(1, 1, r), pub(2, 2, r), pub(3, 1, r))
	if err := p.link.Take(pub(4, 1, r)); err != ErrReceiveMaximum {
		t.Fatal(err)
	}
	r.commit(3, nil)
	p.read()
	// PUBREC does not give its place back (MQTT 5, 4.9), PUBCOMP does.
	take(t, p, pub(4, 1, r), pub(5, 1, r))
	if err := p.link.Take(pub(6, 1, r)); err != ErrReceiveMaximum {
		t.Fatal(err)
	}
	if err := p.link.Release(2); err != nil {
		t.Fatal(err)
	}
	p.read()
	take(t, p, pub(6, 1, r))
	r.commit(9, nil)
	ids(t, p.read(), puback, 4, 5, 6)
}

func TestAPublisherThatDoesNotReadItsAcksWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(Limits{Inflight: 10, Pending: 4, Bytes: 1 << 20, Total: 1 << 30})
		s := in.NewSession("c")
		p := connect(s, false)
		for id := range uint16(4) {
			take(t, p, pub(id+1, 1)) // wanted by nobody: acknowledged at once, but not read
		}
		if err := p.link.Take(pub(5, 1)); !errors.Is(err, ErrNotInTime) {
			t.Fatalf("a fifth was taken: %v", err)
		}
		if err := p.link.Release(9); !errors.Is(err, ErrNotInTime) {
			t.Fatalf("a PUBREL was answered: %v", err)
		}
		done := make(chan error)
		go func() { done <- p.link.Take(pub(5, 1)) }()
		synctest.Wait()
		ids(t, p.read(), puback, 1, 2, 3, 4)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		in.Stop()
	})
}

func TestPayloadsKeptForSubscribersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(Limits{Inflight: 10, Pending: 100, Bytes: 10, Total: 1 << 30})
		s, r := in.NewSession("c"), &receiver{}
		p := connect(s, true)
		var seen []string
		big := func(id uint16) *Publish {
			x := pub(id, 1, r)
			x.Keeps, x.After = 20, delivery{"x", &seen}
			return x
		}
		take(t, p, big(1), pub(2, 1, r)) // one is always admitted, and what nobody else wants costs nothing
		take(t, p, big(3))
		r.commit(9, nil)
		if got := p.read(); !slices.Equal(got, []packet{{puback, 1, 0}, {puback, 2, 0}, {puback, 3, CodeQuota}}) {
			t.Fatal(got)
		}
		in.Stop()
	})
}

func TestPayloadsKeptByAllSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(Limits{Inflight: 10, Pending: 100, Bytes: 1 << 20, Total: 10})
		r := &receiver{}
		var seen []string
		kept := func(id uint16) *Publish {
			x := pub(id, 1, r)
			x.Keeps, x.After = small, delivery{"x", &seen}
			return x
		}
		a, b := connect(in.NewSession("a"), false), connect(in.NewSession("b"), false)
		take(t, a, kept(1))
		flood := connect(in.NewSession("c"), false)
		few := kept(1)
		few.Keeps = 10
		take(t, flood, few) // whoever keeps nothing, and little now, is let in
		few = kept(2)
		few.Keeps = 10
		if err := flood.link.Take(few); !errors.Is(err, ErrNotInTime) {
			t.Fatal(err)
		}
		if err := b.link.Take(kept(1)); !errors.Is(err, ErrNotInTime) {
			t.Fatal(err)
		}
		take(t, b, pub(2, 1, r)) // nobody subscribes to it
		done := make(chan error)
		go func() { done <- b.link.Take(kept(3)) }()
		synctest.Wait()
		r.commit(9, nil)
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("durable is not delivered")
		default:
		}
		in.Delivered(small)
		in.Delivered(10)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		in.Stop()
	})
}

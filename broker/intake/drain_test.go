package intake

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

func TestDrainTakesNothingAndWaitsForEveryAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(roomy)
		s, r := in.NewSession("c"), &receiver{}
		p := connect(s, false)
		take(t, p, pub(1, 1, r), pub(2, 1, r))
		blocked := make(chan error)
		full := &receiver{refuse: never}
		go func() { blocked <- p.link.Take(pub(3, 1, full)) }()
		synctest.Wait()
		drained := make(chan error)
		go func() { drained <- in.Drain(context.Background()) }()
		if err := <-blocked; err != edged.ErrStopped {
			t.Fatal(err)
		}
		if err := p.link.Take(pub(4, 1, r)); err != edged.ErrStopped {
			t.Fatal(err)
		}
		r.commit(2, nil)
		synctest.Wait()
		select {
		case <-drained:
			t.Fatal("drained before the socket had the acknowledgements")
		default:
		}
		ids(t, p.read(), puback, 1, 2)
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
	})
}

func TestDrainGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake(roomy)
		s, r := in.NewSession("c"), &receiver{}
		take(t, connect(s, false), pub(1, 1, r))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := in.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || in.Pending() != 1 {
			t.Fatal(err, in.Pending())
		}
	})
}

func TestAReceiverThatIsStoppingIsNobodysAcknowledgement(t *testing.T) {
	in := newIntake(roomy)
	s, r := in.NewSession("c"), &receiver{}
	p := connect(s, true)
	take(t, p, pub(1, 1, r))
	stopping := &receiver{refuse: func(context.Context) error { return edged.ErrStopped }}
	if err := p.link.Take(pub(2, 1, r, stopping)); err != edged.ErrStopped {
		t.Fatal(err)
	}
	r.commit(9, nil)
	ids(t, p.read(), puback, 1)
	if p.severed != nil || in.Pending() != 0 {
		t.Fatal(p.severed, in.Pending())
	}
}

func TestAPublisherWithoutAConnection(t *testing.T) {
	in := newIntake(roomy)
	s, r := in.NewSession(""), &receiver{}
	var seen []string
	x := pub(0, 1, r)
	x.After = delivery{"x", &seen}
	if err := s.Take(t.Context(), x); err != nil || len(seen) != 0 {
		t.Fatal(err, seen)
	}
	r.commit(1, nil)
	if len(seen) != 1 || in.Pending() != 0 {
		t.Fatal(seen, in.Pending())
	}
	full := &receiver{refuse: func(context.Context) error { return edged.ErrFull }}
	if err := s.Take(t.Context(), pub(0, 1, full)); !errors.Is(err, edged.ErrFull) {
		t.Fatal(err)
	}
}

package intake

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"edged"
)

// halves is a session that is kept, whose publishes two sources store.
type halves struct {
	t    *testing.T
	s    *Session
	p    *peer
	a, b *receiver
	note *notebook
	seen []string
}

func newHalves(t *testing.T) *halves {
	h := &halves{t: t, a: &receiver{}, b: &receiver{}, note: &notebook{}}
	h.s = newIntake(roomy).NewSession("c")
	h.s.Keep(h.note, nil)
	h.p = connect(h.s, false)
	return h
}

func (h *halves) publish(n int, qos byte, again bool) error {
	x := numbered(n, 1, again, nil)
	x.QoS, x.To, x.Sources, x.Keep = qos, []edged.Handler{h.a, h.b}, []string{"a", "b"}, true
	x.After = delivery{"x", &h.seen}
	return h.p.link.Take(x)
}

func (h *halves) reconnect() { h.p.link.Close(); h.p = connect(h.s, false) }

func noRoom(context.Context) error { return errors.New("no room") }

// What was stored in part and not acknowledged is forgotten when its client, which has lost what it knew, uses the identifier for something
// else: all sources get that.
func TestAnIdentifierOfAPartIsUsedAgain(t *testing.T) {
	h := newHalves(t)
	h.b.refuse = noRoom
	if err := h.publish(1, 2, false); !errors.Is(err, ErrNotInTime) {
		t.Fatal(err)
	}
	h.a.commit(1, nil)
	h.reconnect()
	h.b.refuse = nil
	if err := h.publish(2, 2, false); err != nil || len(h.note.waiting) != 1 {
		t.Fatalf("%v; %d identifiers are to be forgotten", err, len(h.note.waiting))
	}
	if h.a.count() != 2 || h.b.count() != 1 || h.a.stored[1].Origin.Copies != 2 || h.a.stored[1].Origin.Number <= h.a.stored[0].Origin.Number {
		t.Fatalf("%d and %d copies: %+v", h.a.count(), h.b.count(), h.a.stored)
	}
}

// A publish that still stands in front of a source when another connection has taken over, and used its identifier for something else, does not say
// what is stored of that.
func TestAnOldPublishSaysNothingOfANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHalves(t)
		h.b.refuse = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		done := make(chan error)
		go func() { done <- h.publish(1, 2, false) }()
		synctest.Wait()
		h.a.commit(1, nil)
		h.a.refuse = noRoom
		old := h.p
		h.p = connect(h.s, false)
		if err := h.publish(2, 2, false); !errors.Is(err, ErrNotInTime) {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		old.link.Close()
		h.a.refuse, h.b.refuse = nil, nil
		h.reconnect()
		if err := h.publish(2, 2, true); err != nil {
			t.Fatal(err)
		}
		if h.a.count() != 2 || h.b.count() != 1 {
			t.Fatalf("%d and %d copies", h.a.count(), h.b.count())
		}
		h.p.link.Close()
		h.s.in.Stop()
	})
}

// What a source that stops did not store is found by the next start: what the other one has stored is not forgotten.
func TestAStopForgetsNothing(t *testing.T) {
	h := newHalves(t)
	if err := h.publish(1, 2, false); err != nil {
		t.Fatal(err)
	}
	h.a.commit(1, nil)
	h.b.commit(1, edged.ErrStopped)
	if len(h.note.waiting) > 0 || h.p.severed == nil {
		t.Fatalf("%d identifiers are forgotten, %v", len(h.note.waiting), h.p.severed)
	}
}

// Subscribers get nothing of a publish with QoS 1 that was stored in part: all of it comes again.
func TestAPartOfQoS1IsNotDelivered(t *testing.T) {
	h := newHalves(t)
	h.b.refuse = noRoom
	if err := h.publish(1, 1, false); !errors.Is(err, ErrNotInTime) {
		t.Fatal(err)
	}
	h.a.commit(1, nil)
	if len(h.seen) != 1 || h.seen[0] != "-x" {
		t.Fatal(h.seen)
	}
}

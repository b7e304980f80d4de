package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"edged"
)

// taker takes messages until it stops.
type taker struct {
	taken   atomic.Int64
	stopped atomic.Bool
	asked   chan struct{}
}

func (t *taker) Take(context.Context, *edged.Message, edged.Acker, uint64) error {
	if t.stopped.Load() {
		select {
		case t.asked <- struct{}{}:
		default:
		}
		return edged.ErrStopped
	}
	t.taken.Add(1)
	return nil
}

// A message that comes while the receiver is exchanged waits for the next one, and is taken once.
func TestADoorHoldsMessages(t *testing.T) {
	a, b := &taker{asked: make(chan struct{}, 1)}, &taker{}
	d := newDoor(a)
	take := func(ctx context.Context) error { return d.Take(ctx, &edged.Message{}, nil, 0) }
	if err := take(t.Context()); err != nil || a.taken.Load() != 1 {
		t.Fatal(err)
	}
	d.hold()
	a.stopped.Store(true)
	got := make(chan error, 1)
	go func() { got <- take(t.Context()) }()
	<-a.asked
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := take(gone); !errors.Is(err, edged.ErrFull) {
		t.Errorf("whose patience has ended: %v", err)
	}
	d.turn(b)
	if err := <-got; err != nil || a.taken.Load() != 1 || b.taken.Load() != 1 {
		t.Errorf("%v %d %d", err, a.taken.Load(), b.taken.Load())
	}
	b.stopped.Store(true)
	if err := take(t.Context()); !errors.Is(err, edged.ErrStopped) {
		t.Errorf("at the stop of the gateway: %v", err)
	}
}

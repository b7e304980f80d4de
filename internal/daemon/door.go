package daemon

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"edged"
)

// door is what the embedded broker knows of a receiver: it stays when the receiver behind it is exchanged. While there is none,
// messages wait before it, no longer than their publishers would wait for room; so nothing is acknowledged unstored meanwhile, and
// nothing is taken twice.
type door struct {
	to atomic.Pointer[edged.Handler] // without the lock, because each message asks; changed with it

	mu     sync.Mutex
	held   chan struct{} // closed when there is another one behind it; nil: nobody waits for one
	detach func()        // from the broker
}

func newDoor(to edged.Handler) *door {
	d := &door{}
	d.to.Store(&to)
	return d
}

// Take implements edged.Handler.
func (d *door) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	for {
		to := d.to.Load()
		err := (*to).Take(ctx, m, ack, token)
		if !errors.Is(err, edged.ErrStopped) {
			return err
		}
		d.mu.Lock()
		another, held := d.to.Load() != to, d.held
		d.mu.Unlock()
		switch {
		case another:
		case held == nil:
			return err // the gateway stops
		default:
			select {
			case <-held:
			case <-ctx.Done():
				return edged.ErrFull
			}
		}
	}
}

// TakeReady implements edged.BatchHandler.
func (d *door) TakeReady(ms []edged.Message, ack edged.Acker, first uint64) int {
	if to, ok := (*d.to.Load()).(edged.BatchHandler); ok {
		return to.TakeReady(ms, ack, first)
	}
	return 0
}

// hold announces another receiver: what the present one does not take any more waits.
func (d *door) hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held == nil {
		d.held = make(chan struct{})
	}
}

// turn leads to another receiver, or with nil on to the one there is.
func (d *door) turn(to edged.Handler) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to != nil {
		d.to.Store(&to)
	}
	if d.held != nil {
		close(d.held)
		d.held = nil
	}
}

// leave is the detach of the receiver behind it: it takes the door away from the broker unless another receiver is to come.
func (d *door) leave() {
	d.mu.Lock()
	detach := d.detach
	if d.held != nil {
		detach = nil
	}
	d.mu.Unlock()
	if detach != nil {
		detach()
	}
}

// isHeld reports whether another receiver was announced and has not come.
func (d *door) isHeld() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held != nil
}

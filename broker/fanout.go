package broker

import (
	"context"
	"sync"
)

// fanout delivers what became durable, on a goroutine of its own: those who commit only put messages into the queue.
// The queue is bounded by the intake (intake.Limits.Total).
type fanout struct {
	b *Broker

	mu    sync.Mutex
	queue []*message
	busy  bool
	wake  chan struct{} // has a token if there may be something in the queue
	empty chan struct{} // closed when the queue is empty; nil if nobody waits
}

// delivery is a publish that waits for its commit.
type delivery struct {
	b *Broker
	m *message
}

// Deliver implements intake.Delivery.
func (d delivery) Deliver() {
	f := &d.b.fanout
	f.mu.Lock()
	f.queue = append(f.queue, d.m)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Abandon implements intake.Delivery.
func (d delivery) Abandon() {}

func (f *fanout) run(ctx context.Context) error {
	var batch []*message
	for {
		f.mu.Lock()
		batch, f.queue = f.queue, batch[:0]
		f.busy = len(batch) > 0
		if !f.busy && f.empty != nil {
			close(f.empty)
			f.empty = nil
		}
		f.mu.Unlock()
		if len(batch) == 0 {
			select {
			case <-f.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		for i, m := range batch {
			f.b.deliver(m)
			f.b.in.Delivered(len(m.payload))
			batch[i] = nil
		}
	}
}

// drain waits until what is in the queue was delivered, or ctx ends.
func (f *fanout) drain(ctx context.Context) {
	f.mu.Lock()
	if len(f.queue) == 0 && !f.busy {
		f.mu.Unlock()
		return
	}
	if f.empty == nil {
		f.empty = make(chan struct{})
	}
	empty := f.empty
	f.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

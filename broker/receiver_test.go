package broker

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"edged/test/await"

	"edged"
)

// receiver is a Handler whose commits the test makes, or that commits at once.
type receiver struct {
	auto   bool
	refuse func(ctx context.Context) error

	mu      sync.Mutex
	waiting []waiting
	stored  []edged.Message
	wake    chan struct{}
}

type waiting struct {
	ack   edged.Acker
	token uint64
}

func (r *receiver) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	if r.refuse != nil {
		if err := r.refuse(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := *m
	kept.Topic, kept.Payload = strings.Clone(m.Topic), bytes.Clone(m.Payload)
	r.stored = append(r.stored, kept)
	if ack == nil {
		return nil
	}
	r.waiting = append(r.waiting, waiting{ack, token})
	if r.auto && r.wake != nil {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// TakeReady implements edged.BatchHandler. It leaves some to Take, and whatever may be refused.
func (r *receiver) TakeReady(ms []edged.Message, ack edged.Acker, first uint64) (n int) {
	if r.refuse != nil {
		return 0
	}
	for ; n < len(ms)-len(ms)/3; n++ {
		_ = r.Take(context.Background(), &ms[n], ack, first+uint64(n))
	}
	return n
}

// commits starts a goroutine that commits whatever waits, like a quick disk.
func commits(t testing.TB) *receiver {
	r := &receiver{auto: true, wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-r.wake:
				r.commit(nil)
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

// commit makes everything that was taken durable, or fails it. It returns how many messages that were.
func (r *receiver) commit(err error) int {
	r.mu.Lock()
	done := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	var flush []edged.Acker
	for _, w := range done {
		w.ack.Acked(w.token, edged.Pos{}, err)
		if !slices.Contains(flush, w.ack) {
			flush = append(flush, w.ack)
		}
	}
	for _, a := range flush {
		a.Flush()
	}
	return len(done)
}

// has waits until n messages were taken, and returns their payloads.
func (r *receiver) has(t testing.TB, n int) (out []string) {
	t.Helper()
	await.Soon(t, "the receiver gets its messages", func() bool { return r.count() >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.stored {
		out = append(out, string(m.Payload))
	}
	if len(out) > n {
		t.Fatalf("%d messages taken, want %d: %.200q", len(out), n, out)
	}
	return out
}

func (r *receiver) count() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.stored) }

func (d *disk) waiting() int { d.mu.Lock(); defer d.mu.Unlock(); return len(d.queue) }

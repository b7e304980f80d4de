package broker

import (
	"sync"
	"sync/atomic"

	"edged/internal/topic"
)

// tapQueue is the number of messages that wait for a tap; further ones are dropped for it.
const tapQueue = 1024

type taps struct {
	b  *Broker
	n  atomic.Int32
	mu sync.Mutex
	// all is replaced, never changed.
	all []*tap
}

type tap struct {
	filter string
	born   uint64 // as that of a subscription
	queue  chan tapped
	missed atomic.Int64 // since the last one that was queued
}

type tapped struct {
	m        *message
	retained bool
	missed   int64
}

// Tap has f called with the messages that match a filter, as a subscriber would see them: retained ones first, then those
// with QoS 1 and 2 when they are durable and those with QoS 0 at once. topic and payload may be kept, and not changed.
//
// f is called on one goroutine. When it is too slow, messages are dropped for it and counted; the broker never waits. missed
// is the number of those dropped just before this one.
// cancel ends it and waits until f has returned: it must not be called by f.
func (b *Broker) Tap(filter string, f func(topic string, payload []byte, retained bool, missed int64)) (cancel func()) {
	t := &tap{filter: filter, born: b.routes.changes.Add(1), queue: make(chan tapped, tapQueue)}
	for _, m := range b.retained.match(filter, t.born) {
		t.offer(b, m, true)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for x := range t.queue {
			f(x.m.topic, x.m.payload, x.retained, x.missed)
		}
	}()
	b.taps.add(t)
	var once sync.Once
	return func() {
		once.Do(func() { b.taps.remove(t) })
		<-ended
	}
}

func (ts *taps) add(t *tap) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.all = append(ts.all[:len(ts.all):len(ts.all)], t)
	ts.n.Store(int32(len(ts.all)))
}

func (ts *taps) remove(t *tap) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	var left []*tap
	for _, x := range ts.all {
		if x != t {
			left = append(left, x)
		}
	}
	ts.all = left
	ts.n.Store(int32(len(left)))
	close(t.queue) // offer holds the lock, so nobody sends any more
}

// any reports whether there are taps.
func (ts *taps) any() bool { return ts.n.Load() > 0 }

func (ts *taps) offer(m *message) {
	if !ts.any() {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.all {
		if gets, asRetained := ts.b.retained.due(m, t.born); gets && topic.Match(t.filter, m.topic) {
			t.offer(ts.b, m, asRetained)
		}
	}
}

func (t *tap) offer(b *Broker, m *message, retained bool) {
	missed := t.missed.Load()
	select {
	case t.queue <- tapped{m, retained, missed}:
		t.missed.Add(-missed)
	default:
		t.missed.Add(1)
		b.met.tapDropped.Inc()
	}
}

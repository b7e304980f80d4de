package broker

import (
	"sync"
	"sync/atomic"

	"edged/internal/topic"
)

// tapQueue and tapBytes bound the messages that wait for a tap; further ones are dropped for it. One always finds room, however
// large it is.
const (
	tapQueue = 1024
	tapBytes = 1 << 20
)

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
	bytes  atomic.Int64 // in queue
	missed atomic.Int64 // since the last one that was queued
}

type tapped struct {
	m        *message
	retained bool
	missed   int64
}

func (x *tapped) size() int64 { return int64(x.m.size()) }

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
			t.bytes.Add(-x.size())
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

// offer queues a message, or counts it as missed. Nobody else may offer one to the same tap meanwhile.
func (t *tap) offer(b *Broker, m *message, retained bool) {
	x := tapped{m, retained, t.missed.Load()}
	size := x.size()
	if waiting := t.bytes.Add(size) - size; waiting == 0 || waiting+size <= tapBytes {
		select {
		case t.queue <- x:
			t.missed.Add(-x.missed)
			return
		default:
		}
	}
	t.bytes.Add(-size)
	t.missed.Add(1)
	b.met.tapDropped.Inc()
}

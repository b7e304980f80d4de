package broker

import (
	"fmt"
	"sync"
)

// Retained keeps retained messages over a restart. Implementations are safe for concurrent use.
type Retained interface {
	// Load calls each with every stored message, once, before anything else. value is only valid during the call. An error
	// of each ends Load, which returns it.
	Load(each func(topic string, value []byte) error) error
	// Put stores or, if value is nil, deletes. value is copied before Put returns. done is called once, from another
	// goroutine, when the change is on disk, or with what kept it off; the calls come in the order of Put for a topic.
	// Changes put before a message is handed to Take are durable no later than that message's block.
	Put(topic string, value []byte, done func(error))
}

// retained changes retained messages on disk first, and then in the library's index, from which new subscribers are
// served: nobody gets a retained message that a crash could take back. A publish is acknowledged after both.
//
// Changes of one topic that are under way at the same time become visible in the order in which they were put. The
// index always follows the disk, also when a receiver did not take the publish that brought the change: it was then not
// acknowledged, and its publisher will bring it again.
type retained struct {
	b     *Broker
	store Retained // nil: memory only
	max   int

	order sync.Mutex // held over store.Put, so that the store gets changes in the order of their versions

	mu     sync.Mutex
	topics map[string]*slot
	live   int    // topics whose newest change leaves a message
	last   uint64 // the newest change of all
}

// slot is a topic that has a retained message, or a change under way.
type slot struct {
	live    bool   // the newest change leaves a message
	visible uint64 // the change that the index shows
	shown   bool   // it left a message
	pending int    // changes under way
}

// load fills the index at start. What cannot be read is reported and left where it is.
func (r *retained) load() error {
	r.topics = map[string]*slot{}
	if r.store == nil {
		return nil
	}
	var expired []string
	err := r.store.Load(func(topic string, value []byte) error {
		m, err := decodeRetained(value)
		switch {
		case err != nil || m.topic != topic:
			r.b.met.badRetained.Inc()
			r.b.seldom.Warn("retained", "broker: a stored retained message cannot be read; it is left alone until its topic is published to again", "topic", topic, "error", err)
		case m.expired():
			expired = append(expired, topic)
		default:
			r.topics[m.topic] = &slot{live: true, shown: true}
			r.live++
			r.b.srv.Topics.RetainMessage(m.packet(m.qos, true))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("broker: cannot load retained messages: %w", err)
	}
	for _, topic := range expired {
		r.store.Put(topic, nil, func(error) {}) // if it fails, the next start tries again
	}
	return nil
}

// admits reports whether a retained message can be taken on a topic. A change that is admitted may still pass the limit
// by as many as are taken at the same moment.
func (r *retained) admits(topic string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.topics[topic]
	return r.live < r.max || s != nil && s.live
}

// change is a retained message under way: it implements intake.Retaining.
type change struct {
	r *retained
	m *message
}

// Retain implements intake.Retaining.
func (c change) Retain(done func(error)) { c.r.put(c.m, done) }

func (r *retained) put(m *message, done func(error)) {
	var value []byte
	live := len(m.payload) > 0 // [MQTT-3.3.1-6]
	if live {
		var err error
		if value, err = encodeRetained(m); err != nil {
			done(err)
			return
		}
	}
	r.order.Lock()
	defer r.order.Unlock()
	r.mu.Lock()
	r.last++
	version := r.last
	s := r.topics[m.topic]
	if s == nil {
		s = &slot{}
		r.topics[m.topic] = s
	}
	r.become(s, live)
	s.pending++
	if r.store == nil {
		r.finish(m, s, version, nil)
		r.mu.Unlock()
		done(nil)
		return
	}
	r.mu.Unlock()
	r.store.Put(m.topic, value, func(err error) {
		r.mu.Lock()
		r.finish(m, s, version, err)
		r.mu.Unlock()
		done(err)
	})
}

// become notes what the newest change leaves.
func (r *retained) become(s *slot, live bool) {
	if s.live != live {
		s.live = live
		if live {
			r.live++
		} else {
			r.live--
		}
	}
}

// finish shows a change that is durable.
func (r *retained) finish(m *message, s *slot, version uint64, err error) {
	s.pending--
	if err == nil && version > s.visible {
		s.visible, s.shown = version, len(m.payload) > 0
		r.b.srv.Topics.RetainMessage(m.packet(m.qos, true))
	}
	if s.pending == 0 {
		r.become(s, s.shown) // failed changes left nothing
	}
	if s.pending == 0 && !s.live {
		delete(r.topics, m.topic)
	}
}

// expired is called when the library has removed a message from the index because its time was over.
func (r *retained) expired(topic string) {
	r.mu.Lock()
	s := r.topics[topic]
	waiting := s != nil && s.pending > 0
	r.mu.Unlock()
	if !waiting { // else a newer one is on its way, and takes its place
		r.put(&message{topic: topic}, func(error) {})
	}
}

func (r *retained) count() int { r.mu.Lock(); defer r.mu.Unlock(); return r.live }

package broker

import (
	"fmt"
	"strings"
	"sync"

	"edged"
	"edged/internal/conf"
	"edged/internal/topic"
)

// Retained keeps retained messages over a restart. Implementations are safe for concurrent use.
type Retained interface {
	// Load calls each with every stored message, once, before anything else. value is only valid during the call, and nil if it
	// is damaged. An error of each ends Load, which returns it.
	Load(each func(topic string, value []byte) error) error
	// Put stores or, if value is nil, deletes. value is copied before Put returns. done is called once, from another
	// goroutine, when the change is on disk, or with what kept it off; the calls come in the order of Put for a topic.
	// Changes put before a message is handed to Take are durable no later than that message's block.
	Put(topic string, value []byte, done func(error))
}

// retained changes retained messages on disk first, and then in memory, from where new subscribers are served: nobody gets a
// retained message that a crash could take back. A publish is acknowledged after both.
//
// Changes of one topic that are under way at the same time become visible in the order in which they were put. Memory
// always follows the disk, also when a receiver did not take the publish that brought the change: it was then not
// acknowledged, and its publisher will bring it again.
type retained struct {
	b     *Broker
	store Retained // nil: memory only
	max   int
	most  int64 // bytes

	order sync.Mutex // held over store.Put, so that the store gets changes in the order of their versions

	mu     sync.Mutex
	topics map[string]*slot
	live   int    // topics whose newest change leaves a message
	bytes  int64  // of those messages: topics, payloads and properties
	last   uint64 // the newest change of all
}

// slot is a topic that has a retained message, or a change under way.
type slot struct {
	newest  *noted   // the newest change; nil: none since the start
	size    int      // bytes of the message that it leaves; 0: none
	visible uint64   // the change that subscribers see
	shown   *message // what it left; nil: nothing
	pending int      // changes under way
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
			s := &slot{shown: m}
			r.topics[m.topic] = s
			r.become(s, sizeOf(m))
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

// admit reports whether a message with so many bytes of properties can be retained, and says so if not. What is admitted may
// still pass the limits by as much as is taken at the same moment.
func (r *retained) admit(m *edged.Message, props int, client string) bool {
	if len(m.Payload) == 0 {
		return true
	}
	r.mu.Lock()
	live, bytes := r.live+1, r.bytes+int64(len(m.Topic)+len(m.Payload)+props)
	if s := r.topics[m.Topic]; s != nil && s.size > 0 {
		live, bytes = live-1, bytes-int64(s.size)
	}
	r.mu.Unlock()
	full := live > r.max || bytes > r.most
	if full {
		r.b.met.retainedFull.Inc()
	}
	if full && r.b.seldom.Due("max_retained") {
		r.b.seldom.Warn("max_retained", "broker: a message was not retained: there are max_retained, or max_retained_bytes, already",
			"client", client, "topic", m.Topic, "max_retained", r.max, "max_retained_bytes", conf.Size(r.most))
	}
	return !full
}

// sizeOf is what a retained message counts.
func sizeOf(m *message) int {
	if m == nil || len(m.payload) == 0 { // [MQTT-3.3.1-6]
		return 0
	}
	return m.size()
}

// change is a retained message under way: it implements intake.Retaining.
type change struct {
	r *retained
	m *message
}

// change makes the change that a message is, and says what it holds while it is under way: its durable form. The message
// itself is kept for its delivery.
func (r *retained) change(m *message) (c change, holds int) {
	return change{r, m}, m.size()
}

// Retain implements intake.Retaining.
func (c change) Retain(done func(error)) { c.r.put(c.m, done) }

func (r *retained) put(m *message, done func(error)) { r.putIf(m, nil, done) }

// putIf puts a change unless the newest state of its topic is one that it is not meant for; done is not called then. still is
// asked with the locks, about a slot that can be nil.
func (r *retained) putIf(m *message, still func(*slot) bool, done func(error)) {
	var value []byte
	size := sizeOf(m)
	if size > 0 {
		value = encodeRetained(m)
	}
	r.order.Lock()
	defer r.order.Unlock()
	r.mu.Lock()
	s := r.topics[m.topic]
	if still != nil && !still(s) {
		r.mu.Unlock()
		return
	}
	r.last++
	version := r.last
	if s == nil {
		s = &slot{}
		r.topics[m.topic] = s
	}
	r.become(s, size)
	s.pending++
	m.change = &noted{version: version, since: r.b.routes.changes.Load()}
	s.newest = m.change
	if r.store == nil {
		r.finish(m, s, nil)
		r.mu.Unlock()
		done(nil)
		return
	}
	r.mu.Unlock()
	r.store.Put(m.topic, value, func(err error) {
		r.mu.Lock()
		r.finish(m, s, err)
		r.mu.Unlock()
		done(err)
	})
}

// become notes what the newest change leaves.
func (r *retained) become(s *slot, size int) {
	switch {
	case s.size == 0 && size > 0:
		r.live++
	case s.size > 0 && size == 0:
		r.live--
	}
	r.bytes += int64(size - s.size)
	s.size = size
}

// finish shows a change that is durable.
func (r *retained) finish(m *message, s *slot, err error) {
	s.pending--
	version := m.change.version
	if err == nil && version > s.visible {
		s.visible, s.shown = version, nil
		m.change.until = r.b.routes.changes.Load()
		if sizeOf(m) > 0 {
			s.shown = m
		}
	}
	if s.pending == 0 {
		r.become(s, sizeOf(s.shown)) // failed changes left nothing
	}
	if s.pending == 0 && s.size == 0 {
		delete(r.topics, m.topic)
	}
}

// match returns the retained messages that match a filter, for a subscription born then.
func (r *retained) match(filter string, born uint64) (out []*message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.ContainsAny(filter, "+#") {
		if s := r.topics[filter]; s.shows(born) {
			out = append(out, s.shown)
		}
		return out
	}
	for name, s := range r.topics {
		if s.shows(born) && topic.Match(filter, name) {
			out = append(out, s.shown)
		}
	}
	return out
}

// show makes a message of the broker itself visible. It is not stored, and does not count.
func (r *retained) show(m *message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics[m.topic] = &slot{shown: m}
}

// over reports whether a topic has nothing but a message that has expired. If a change is under way it takes that one's place.
func over(s *slot) bool { return s != nil && s.pending == 0 && s.shown != nil && s.shown.expired() }

// sweep removes what has expired.
func (r *retained) sweep() {
	for _, topic := range r.expired() {
		r.remove(topic)
	}
}

func (r *retained) expired() (topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, s := range r.topics {
		if over(s) {
			topics = append(topics, name)
		}
	}
	return topics
}

// remove removes a message that has expired, unless it was renewed meanwhile.
func (r *retained) remove(topic string) { r.putIf(&message{topic: topic}, over, func(error) {}) }

func (r *retained) count() (messages int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live, r.bytes
}

package broker

import (
	"encoding/binary"
	"slices"

	"edged"
	"edged/broker/intake"
	"edged/broker/record"
)

// circle is who gets the messages of a topic. Topics that go to the same receivers and subscriptions share one; it is not changed.
type circle struct {
	to      []edged.Handler
	batch   edged.BatchHandler // the only one of to, if it takes several at once
	sources []string           // of each of keepers, under which name the log has what it takes for good; "": it has not
	keep    bool               // a session that is kept wants its messages of QoS 1 and 2 from the log
	keepers []edged.Handler    // who takes those: to, and the broker's own source if no other is durable
	keeper  int                // the one of them whose copy is read
	names   bool               // and who published it is asked for
	subs    []target
	shared  [][]target // of each shared subscription one is chosen for each message

	wrong     error // it cannot be published to
	malformed bool  // because it is no topic name at all

	key     string // what is different for each circle
	changes uint64 // that there had been
}

// target is a subscriber of a topic.
type target struct {
	s   *session
	all *grant // what it gets
	own *grant // what it gets of what it published itself; nil: nothing [MQTT-3.8.3-3]
}

// wanted reports whether anybody subscribes. A stale yes is harmless.
func (c *circle) wanted() bool { return len(c.subs)+len(c.shared) > 0 }

// heard are the subscriptions that match a topic, of those who may read it.
type heard struct {
	single []*subscription
	shared [][]*subscription
}

// circleOf is the circle of a topic; if something is wrong with it, no receiver is in it. changes is how many there had been before.
func (rs *routes) circleOf(name string, wrong error, changes uint64) *circle {
	var h heard
	var room [64]byte
	h.single, h.shared = rs.subs.Match(name)
	h.readers(name)
	var attached []*attachment
	if all := rs.attached.Load(); all != nil && wrong == nil {
		attached = *all
	}
	key := appendReceivers(room[:0], attached, name)
	key = h.appendKey(append(key, 0))
	c := rs.latest.Load()
	if c.is(key, changes) && c.wrong == wrong {
		return c
	}
	rs.mu.RLock()
	c = rs.circles.known[string(key)]
	rs.mu.RUnlock()
	if c.is(key, changes) && c.wrong == wrong {
		rs.latest.Store(c)
		return c
	}
	c = &circle{key: string(key), changes: changes, wrong: wrong}
	if c.subs, c.shared = targets(h.single, h.shared); wrong != nil {
		return c
	}
	c.receivers(attached, rs.own, name)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if changes == rs.changes.Load() {
		rs.circles.put(c)
		rs.latest.Store(c)
	}
	return c
}

// readers leaves those out who may not read the topic.
func (h *heard) readers(name string) {
	if len(h.single)+len(h.shared) == 0 {
		return
	}
	deaf := func(sub *subscription) bool { return !sub.s.profile.Load().MayRead(name) }
	h.single = slices.DeleteFunc(h.single, deaf)
	for i, members := range h.shared {
		h.shared[i] = slices.DeleteFunc(members, deaf)
	}
	h.shared = slices.DeleteFunc(h.shared, func(members []*subscription) bool { return len(members) == 0 })
}

// appendReceivers appends which receivers want a topic: a part of what is different for each circle.
func appendReceivers(b []byte, attached []*attachment, name string) []byte {
	for _, a := range attached {
		if a.wants(name) {
			b = binary.AppendUvarint(b, a.number)
		}
	}
	return b
}

// appendKey appends the other part: which subscriptions there are. 0 stands between them and a shared one's, and does not name any.
func (h *heard) appendKey(b []byte) []byte {
	for _, sub := range h.single {
		b = binary.AppendUvarint(b, sub.number)
	}
	for _, members := range h.shared {
		b = append(b, 0)
		for _, sub := range members {
			b = binary.AppendUvarint(b, sub.number)
		}
	}
	return b
}

// is reports whether it is the circle of a key, and not out of date.
func (c *circle) is(key []byte, changes uint64) bool {
	return c != nil && c.changes == changes && c.key == string(key)
}

// circles are those of topics that were worked out lately, by their keys, since the last change. They are guarded by the mutex of routes.
type circles struct {
	changes uint64
	known   map[string]*circle
	bytes   int
}

// maxCircles bounds the memory of circles that are kept for further topics.
const maxCircles = 1 << 20

// put keeps a circle, perhaps in the place of others.
func (cs *circles) put(c *circle) {
	size := c.size()
	if size > maxCircles/4 {
		return
	}
	if cs.changes != c.changes || cs.known == nil {
		*cs = circles{changes: c.changes, known: map[string]*circle{}}
	}
	if old := cs.known[c.key]; old != nil {
		cs.bytes -= old.size()
	}
	for key, old := range cs.known { // in no order
		if cs.bytes+size <= maxCircles {
			break
		}
		cs.bytes -= old.size()
		delete(cs.known, key)
	}
	cs.known[c.key] = c
	cs.bytes += size
}

// size is what a circle takes in memory, about.
func (c *circle) size() int {
	n := len(c.subs)
	for _, members := range c.shared {
		n += 1 + len(members)
	}
	return 400 + len(c.key) + 64*len(c.to) + 48*n
}

// receivers notes who takes the messages, and whose copy is kept. own is the broker's own source, or nil.
func (c *circle) receivers(attached []*attachment, own *attachment, name string) {
	c.keeper = -1
	for _, a := range attached {
		if !a.wants(name) {
			continue
		}
		if a.source != "" && a.whole && c.keeper < 0 {
			c.keeper = len(c.to)
		}
		c.to, c.sources = append(c.to, a.h), append(c.sources, a.source)
	}
	if len(c.to) == 1 {
		c.batch, _ = c.to[0].(edged.BatchHandler)
	}
	if own == nil {
		return
	}
	if c.keepers = c.to; c.keeper < 0 {
		c.keeper, c.keepers, c.sources = len(c.to), append(c.to[:len(c.to):len(c.to)], own.h), append(c.sources, own.source)
	}
	for _, t := range c.subs {
		c.keep = c.keep || t.s.kept && t.all.qos > 0
		c.names = c.names || t.s.kept && t.own != t.all
	}
	for _, members := range c.shared {
		for _, t := range members {
			c.keep = c.keep || t.s.kept && t.all.qos > 0
		}
	}
}

// keepIn has a publish kept for sessions, if one wants it and it has QoS 1 or 2: then b, to which the extra is appended, goes with it.
func (c *circle) keepIn(p *intake.Publish, x record.Extra, b []byte) []byte {
	if p.QoS == 0 || !c.keep {
		return b
	}
	if !c.names {
		x.Origin = ""
	}
	b = x.Append(b)
	p.To, p.Keeper, p.Keep, p.Extra = c.keepers, c.keeper, true, b
	return b
}

package broker

import "slices"

// deliver gives a message to everyone who subscribes to its topic, and returns how many that were. It does not block.
func (b *Broker) deliver(m *message) (n int) {
	if m.to != readers {
		b.taps.offer(m)
	}
	r := b.routes.of(m.topic)
	if !r.wanted() || m.expired() {
		return 0
	}
	for i := range r.subs {
		t := &r.subs[i]
		g := t.all
		if t.s.id == m.origin {
			g = t.own
		}
		if g == nil || !m.to.has(m.reads(t.s, g)) {
			continue
		}
		gets, asRetained := b.retained.due(m, g.born)
		switch {
		case gets && !asRetained:
			b.send(t.s, g, m, m.retain && g.retainAsPublished) // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
		case gets && g.wantsRetained:
			t.s.addUrgently(letter{m: m, to: g, qos: min(m.qos, g.qos), retain: true})
		}
	}
	for _, members := range r.shared {
		if !m.to.has(slices.ContainsFunc(members, func(t target) bool { return m.reads(t.s, t.all) })) {
			continue
		}
		t := b.choose(members)
		b.send(t.s, t.all, m, m.retain && t.all.retainAsPublished)
	}
	return len(r.subs) + len(r.shared)
}

// choose picks one member of a shared subscription: of those that are connected and keep up the one whose last message is the
// oldest, so that they take turns; of all if there are none.
func (b *Broker) choose(members []target) target {
	best, ready := members[0], false
	for _, t := range members {
		r := t.s.out.ready()
		if r == ready && t.all.served.Load() < best.all.served.Load() || r && !ready {
			best, ready = t, r
		}
	}
	best.all.served.Store(b.served.Add(1))
	return best
}

// handOver gives a message of a shared subscription to another member, because the one that had it is gone for good.
func (b *Broker) handOver(l letter) {
	for _, members := range b.routes.of(l.m.topic).shared {
		if members[0].all.share == l.to.share {
			t := b.choose(members)
			t.s.addUrgently(letter{m: l.m, to: t.all, qos: min(l.m.qos, t.all.qos), retain: l.retain})
		}
	}
}

// send gives a message to one subscriber, with the smaller QoS of the two [MQTT-3.3.5-1]. Its letter is found again at the message's place
// in the log, if it has one; but not that of a shared subscription, because the log does not say who was chosen.
func (b *Broker) send(s *session, g *grant, m *message, retain bool) {
	l := letter{m: m, to: g, qos: min(m.qos, g.qos), retain: retain}
	if g.share == "" {
		l.ref = m.at
	}
	if m.kept && m.at.Seq == 0 { // the copy that the log has is not one for sessions
		s.addUrgently(l)
		return
	}
	s.out.add(l)
}

// addUrgently gives a session a letter that is found nowhere else: if the session is kept, the letter is with the next commit.
func (s *session) addUrgently(l letter) {
	s.out.add(l)
	if s.kept && l.qos > 0 {
		s.out.b.keeping.soon.Store(true)
	}
}

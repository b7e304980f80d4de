package broker

// line is the messages of QoS 2 of one publisher to one topic: subscribers get them in order [MQTT-4.6.0-6].
type line struct{ publisher, topic string }

// doubt notes a letter if its message may have been taken before a subscription that gives it was made, or its QoS was raised: both became durable
// together, and the log does not say which was first. The client gets it, unless a later one of its line was sent when it was not (sent2). Nothing that is
// owed is in doubt: a client is told of its subscription when that is durable.
func (s *restored) doubt(l *letter) {
	if l.qos < 2 || l.m.origin == "" {
		return
	}
	if g := s.grantThen(l.m, (*subscription).leastAt); g != nil && g.qos == 2 {
		return
	}
	if s.doubts == nil {
		s.doubts = map[line][]*message{}
	}
	of := line{l.m.origin, l.m.topic}
	s.doubts[of] = append(s.doubts[of], l.m)
}

// sent2 ends the doubts about those before m in its line, if m was sent to the session with QoS 2: they had their turn when the session had not subscribed
// to what it has now, and would come behind m.
func (s *restored) sent2(m *message) {
	of := line{m.origin, m.topic}
	before := s.doubts[of]
	if _, sent := s.flights[m.at]; !sent || s.qos1[m.at] || len(before) == 0 {
		return
	}
	delete(s.doubts, of)
	then := map[*message]*grant{}
	for _, d := range before {
		then[d] = s.grantThen(d, (*subscription).leastAt)
	}
	s.out.giveLess(then)
}

// giveLess has the letters of messages in the log wait with the grants that they have in then, or not at all if that is nil. It is called while sessions are
// loaded.
func (o *outbox) giveLess(then map[*message]*grant) {
	o.waiting.each(func(l *letter) {
		g, ok := then[l.m]
		if !ok || l.ref.Seq == 0 {
			return
		}
		o.grow(-l.size())
		if l.to = g; g == nil {
			return
		}
		l.qos, l.retain = min(l.m.qos, g.qos), l.m.retain && g.retainAsPublished
		o.grow(l.size())
	})
	o.waiting.delete(func(l *letter) bool {
		if l.to != nil {
			return false
		}
		if l.m.expiry > 0 {
			o.mortal--
		}
		return true
	})
}

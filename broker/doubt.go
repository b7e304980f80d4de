package broker

// line is the messages of QoS 2 of one publisher to one topic: subscribers get them in order [MQTT-4.6.0-6].
type line struct{ publisher, topic string }

// doubt notes a letter of which the log does not say whether it is owed: its message became durable no later than a subscription that gives it, or a
// change of its QoS, and may have been taken before. It is given to the client: nothing that is owed may be lost. But if a later one of its line was sent
// while it was not, it had its turn before the subscription (sent2). Nobody has been told of a subscription before it is durable, so that no message that
// is owed because of it is ever in doubt.
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

// sent2 ends the doubts of a message's line, if it was sent to the session with QoS 2: those before it were taken when the session did not have what it
// has now, and would come behind it.
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

package broker

// noted is what is known about a change. Whoever subscribed while it was under way gets its message when it is durable, and
// as a retained one, as if it had already been there: a client that publishes and then subscribes finds what it has left.
type noted struct {
	version uint64
	since   uint64 // the number of changes of the routes with which it was put: who subscribed later is owed it
	until   uint64 // the one in which it was shown: who subscribed later has seen it; 0: it was not, yet. Under retained.mu
}

// shows reports whether a subscription born then gets what is shown. If it is owed something newer it does not.
func (s *slot) shows(born uint64) bool {
	return s != nil && s.shown != nil && !(s.pending > 0 && born > s.newest.since) && !s.shown.expired()
}

// due reports whether who subscribed then gets m when it is delivered, and whether that is as a retained message: it was on its
// way when the subscription was made, and nothing newer has come in between.
func (r *retained) due(m *message, born uint64) (gets, asRetained bool) {
	switch {
	case m.change == nil:
		return m.since == 0 || born <= m.since, false
	case born <= m.change.since:
		return true, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.topics[m.topic]
	owed := s != nil && s.newest == m.change && born <= m.change.until && sizeOf(m) > 0
	return owed, owed
}

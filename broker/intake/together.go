package intake

import "edged"

// TakeTogether is Take for publishes with QoS 1 that came together: one after the other, for one receiver, none of them a repeat, none that
// anybody waits for but the publisher. It enters those for which there is room in the line, under one hold of the lock, and returns how
// many that were: they are dealt with. Take deals with the others, and says what keeps them out. An error is Take's, and of one of those that
// were entered; none after it was taken.
func (l *Link) TakeTogether(h edged.BatchHandler, ms []edged.Message, ids []uint16) (n int, err error) {
	s := l.s
	first, n := s.enterTogether(l, ids)
	if n == 0 {
		return 0, nil
	}
	s.in.received[1].Add(n)
	defer l.patience.reset()
	var kept error // what keeps the connection from going on
	for i := h.TakeReady(ms[:n], s, first); i < n; i++ {
		l.patience.reset()
		token, why := first+uint64(i), kept
		if why == nil {
			why = h.Take(&l.patience, &ms[i], s, token)
		}
		if why == nil {
			continue
		}
		if answer := s.settle(token, 1, l, why); answer != nil && err == nil {
			kept, err = why, answer
		}
	}
	return n, err
}

// enterTogether puts as many publishes at the end of the line as there is room for. Their tokens follow each other. Each waits for its receiver
// alone, as in push.
func (s *Session) enterTogether(l *Link, ids []uint16) (first uint64, n int) {
	s.in.owed.Add(int64(len(ids))) // before looking at draining, so that Drain cannot miss it
	defer func() { s.in.settled(len(ids) - n) }()
	if s.in.draining.Load() {
		return 0, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if l.closed || l.v5 && l.unacked >= s.in.limits.Inflight || s.full(0) {
			break
		}
		l.counts()
		token := s.line.push(entry{link: l, qos: 1, id: id, waits: 1})
		s.remember(id, known{token: token, qos: 1, state: taken})
		if n++; n == 1 {
			first = token
		}
	}
	return first, n
}

// OfferTogether is Offer for publishes that came together, for one receiver. It returns how many of them the receiver has taken; Offer deals with the
// others.
func (l *Link) OfferTogether(h edged.BatchHandler, ms []edged.Message) (n int) {
	if l.s.in.draining.Load() {
		return 0
	}
	n = h.TakeReady(ms, nil, 0)
	l.s.in.received[0].Add(n)
	return n
}

package intake

import "slices"

// The first byte of the four packets (MQTT 5, 2.1.2).
const (
	puback  byte = 0x40
	pubrec  byte = 0x50
	pubcomp byte = 0x70
)

func ackOf(qos byte) byte {
	if qos == 2 {
		return pubrec
	}
	return puback
}

// ack is an acknowledgement that is due.
type ack struct {
	token uint64 // of the entry; 0 for PUBCOMP
	id    uint16
	kind  byte
	code  byte // MQTT 5 only
}

func (a *ack) size() int {
	if a.code != CodeSuccess {
		return 5
	}
	return 4
}

// append encodes it; MQTT 5 lets both the reason code 0 and the properties be left out (3.4.2.1, 3.4.2.2.1).
func (a *ack) append(b []byte) []byte {
	if a.code != CodeSuccess {
		return append(b, a.kind, 3, byte(a.id>>8), byte(a.id), a.code)
	}
	return append(b, a.kind, 2, byte(a.id>>8), byte(a.id))
}

// Collect appends what is due to b, for the connection's writer to write at once; Written must follow. What is collected
// counts as handed to the socket: its identifiers are forgotten here, before the client can use them again.
func (l *Link) Collect(b []byte) []byte {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != l || len(s.due) == 0 {
		return b
	}
	n := 0
	b = slices.Grow(b, 5*len(s.due))
	for i := range s.due {
		a := &s.due[i]
		b = a.append(b)
		if a.kind != pubcomp {
			n++
		}
		if a.kind != pubrec || a.code != CodeSuccess {
			l.unacked = max(0, l.unacked-1)
		}
		if k := s.ids.get(a.id); k != nil && k.token == a.token && a.kind != pubcomp && a.code == CodeSuccess {
			if a.kind == pubrec {
				k.state = acked
			} else {
				s.forget(a.id)
			}
		}
	}
	l.sent, s.due = s.due, l.sent[:0]
	s.in.acked.Add(n)
	s.in.settled(n)
	s.makeRoom()
	return b
}

// Written says how many bytes of the last Collect the socket took. Acknowledgements behind them never left, and are owed
// again, unless the client has published on another connection since: it may have repeated those publishes there already,
// and what uses their identifiers now would be taken for them and acknowledged unstored. A publish that was not repeated yet is
// then stored again, as QoS 1 allows. With QoS 2 the identifier is still known, and its entry tells them apart.
func (l *Link) Written(n int) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range l.sent {
		if n -= a.size(); n >= 0 || a.kind == pubcomp || a.code != CodeSuccess {
			continue
		}
		k := s.ids.get(a.id)
		switch {
		case a.kind == puback && k == nil && s.user == l.number:
			s.remember(a.id, known{token: a.token, qos: 1, state: owed})
		case a.kind == pubrec && k != nil && k.token == a.token:
			k.state = owed
		}
	}
	l.sent = emptied(l.sent)
}

// Release answers a PUBREL with PUBCOMP and forgets the identifier [MQTT-4.3.3-11]. It blocks like Take while the client
// does not read its acknowledgements.
//
// In a session that is kept PUBCOMP leaves when the removal is durable.
func (l *Link) Release(id uint16) error {
	defer l.patience.reset()
	s := l.s
	for {
		s.mu.Lock()
		if l.closed {
			s.mu.Unlock()
			return ErrClosed
		}
		if len(s.due)+s.removing < s.in.limits.Pending {
			break
		}
		room := s.waitForRoom(true)
		s.mu.Unlock()
		select {
		case <-room:
		case <-l.patience.Done():
			return ErrNotInTime
		}
	}
	code := CodeSuccess
	k := s.ids.get(id)
	if k != nil && k.qos == 2 && s.memory != nil {
		s.releaseDurably(l, id, k)
		s.mu.Unlock()
		return nil
	}
	if k != nil && k.qos == 2 {
		s.forget(id)
	} else if l.v5 {
		code = CodeNotFound
	}
	s.due = append(s.due, ack{kind: pubcomp, id: id, code: code})
	s.mu.Unlock()
	s.Flush()
	return nil
}

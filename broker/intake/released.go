package intake

import "edged"

// Memory forgets QoS 2 publishes durably. The receivers' stores remember them, by the Origin that they store with the message.
type Memory interface {
	// Release removes what is remembered of a publish. done is called once, when that is durable or cannot be, from another
	// goroutine. Calls for one client become durable in their order. It must not block.
	Release(client string, id uint16, done func(error))
}

// Keep makes the session one that outlives its connections, and the process: what it has received with QoS 2 and not released is durable,
// in m, and received is what was found there. It is called before the first Connect.
func (s *Session) Keep(m Memory, received []edged.Receipt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory = m
	for _, r := range received {
		s.in.atLeast(r.Number)
		if r.Missing == 0 {
			s.remember(r.PacketID, known{qos: 2, state: acked})
			continue
		}
		s.remember(r.PacketID, known{qos: 2, state: inPart, part: &part{number: r.Number, stored: r.Stored, read: r.Kept}})
	}
}

// atLeast has the next number be higher than n.
func (in *Intake) atLeast(n uint64) {
	for {
		last := in.numbers.Load()
		if last >= n || in.numbers.CompareAndSwap(last, n) {
			return
		}
	}
}

// forgetDurably removes a publish with QoS 2 from the memory of a session that is kept, and has then called when that is durable. It and
// then are called with the lock.
func (s *Session) forgetDurably(id uint16, then func()) {
	s.in.owe() // so that Drain waits for PUBCOMP
	s.removing++
	s.memory.Release(s.client, id, func(err error) {
		s.mu.Lock()
		s.removing--
		if err == nil && then != nil {
			then()
		}
		s.makeRoom()
		s.mu.Unlock()
		s.in.settled(1)
		s.Flush()
	})
}

// releaseDurably handles the PUBREL of a session that is kept: PUBCOMP follows when the removal is durable, on the connection that asked for
// it last. Before that the identifier may not be used again: a crash would take what uses it for the publish that was released.
func (s *Session) releaseDurably(l *Link, id uint16, k *known) {
	began := k.state == releasing
	k.state, k.token, k.by = releasing, 0, l
	if began {
		return
	}
	s.forgetDurably(id, func() {
		k := s.ids.get(id)
		if k == nil || k.state != releasing {
			return // superseded by a new publish [MQTT-4.3.3-10]
		}
		by := k.by
		s.forget(id)
		if by == s.link && !by.closed {
			s.due = append(s.due, ack{kind: pubcomp, id: id})
		}
	})
}

// keeper is the session as the receiver sees it whose copy of a publish is kept: it learns the copy's place.
type keeper Session

// Acked implements edged.Acker for the receiver whose copy is kept.
func (k *keeper) Acked(token uint64, at edged.Pos, err error) { (*Session)(k).acked(token, at, err) }

// Flush implements edged.Acker.
func (k *keeper) Flush() { (*Session)(k).Flush() }

package intake

import (
	"errors"
	"fmt"

	"edged"
)

// Acked is called by receivers when a publish is durable, or with what kept it from becoming so (edged.Acker).
func (s *Session) Acked(token uint64, _ edged.Pos, err error) { s.acked(token, edged.Pos{}, err) }

func (s *Session) acked(token uint64, at edged.Pos, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.line.at(token)
	if at.Seq > 0 {
		e.at = at
	}
	s.note(e, err)
	s.release()
}

// note notes what a receiver has said of a publish. It is called with the lock.
func (s *Session) note(e *entry, err error) {
	if err != nil {
		e.failed, e.stopped = true, e.stopped || errors.Is(err, edged.ErrStopped)
	}
	s.answered(e, err)
}

// AckedTogether is Acked for several publishes under one hold of the lock (edged.BatchAcker).
func (s *Session) AckedTogether(first uint64, n int, _ edged.Pos, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := first; token < first+uint64(n); token++ {
		s.note(s.line.at(token), err)
	}
	s.release()
}

// retained is called when the change of the retained message is durable, or cannot be.
func (s *Session) retained(token uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered(s.line.at(token), err)
	s.release()
}

// answered notes what one of those has said for whom an entry waits. It is called with the lock, and release follows.
func (s *Session) answered(e *entry, err error) {
	e.waits--
	if err != nil && e.verdict == accepted {
		s.in.failed.Inc()
		e.verdict = severed
		if errors.Is(err, edged.ErrFull) && e.link != nil && e.link.v5 {
			e.verdict, e.code = refused, CodeQuota
		}
	}
}

// Flush has the acknowledgements that are due written (edged.Acker).
func (s *Session) Flush() {
	s.mu.Lock()
	var peer Peer
	if s.link != nil && len(s.due) > 0 {
		peer = s.link.peer
	}
	s.mu.Unlock()
	if peer != nil {
		peer.Wake()
	}
}

// release lets the entries at the head go that wait for nothing more. It is called with the lock.
func (s *Session) release() {
	for s.line.len() > 0 {
		e := s.line.at(s.line.head)
		if e.waits > 0 {
			return
		}
		s.leave(s.line.head, e)
		s.line.pop()
		s.makeRoom()
	}
	s.line.shrink(large)
}

func (s *Session) leave(token uint64, e *entry) {
	switch {
	case e.failed:
		e.part = nil
	case e.part != nil && e.at.Seq > 0:
		e.part.read = true
	}
	if e.heir != 0 {
		heir := s.line.at(e.heir)
		heir.waits--
		heir.verdict, heir.code, heir.kept, heir.stopped, heir.part = e.verdict, e.code, e.kept, e.stopped, e.part
		if e.verdict != accepted && (e.verdict != refused || !heir.link.v5) {
			heir.verdict = severed // it was not stored: closing the connection is the way to be sent it again
		}
	}
	s.bytes -= int64(e.bytes + e.holds)
	if e.holds > 0 {
		s.in.kept.give(int64(e.holds))
	}
	if e.after != nil {
		if whole := e.verdict == accepted; whole || e.part != nil && e.at.Seq > 0 {
			e.after.Deliver(e.at, whole)
		} else {
			e.after.Abandon()
			s.in.kept.give(int64(e.bytes))
		}
	}
	if e.id == 0 {
		if e.qos == 0 {
			s.zero--
		}
		s.in.settled(1)
		return
	}
	s.answer(token, e)
}

// answer makes the acknowledgement due, or remembers that it is owed.
func (s *Session) answer(token uint64, e *entry) {
	k := s.ids.get(e.id)
	newest := k != nil && k.token == token
	open := !e.link.closed
	switch {
	case e.verdict == accepted && open:
		s.due = append(s.due, ack{kind: ackOf(e.qos), id: e.id, token: token})
		if newest {
			k.state = due
		}
		return // settled when a socket has it
	case e.verdict == accepted:
		if newest {
			k.state = owed
		}
	default:
		if newest && e.part != nil { // its client is to repeat it
			s.remember(e.id, known{token: token, qos: 2, state: inPart, part: e.part})
			if e.verdict != abandoned && open {
				s.sever(e)
			}
			break
		}
		if newest {
			s.forget(e.id)
		}
		if e.kept && s.memory != nil && newest && !e.stopped { // a part of it may be stored, with its identity; the next start finds that of a stop
			s.refuseDurably(token, *e, open)
			break
		}
		if e.verdict == refused && open {
			s.due = append(s.due, ack{kind: ackOf(e.qos), id: e.id, code: e.code, token: token})
			return
		}
		if e.verdict == severed && open {
			s.sever(e)
		}
	}
	if s.over && e.kept && s.memory != nil {
		s.forgetDurably(e.id, nil)
	}
	s.in.settled(1)
}

// refuseDurably refuses a publish with QoS 2 after what may be stored of its identity was removed: the client may use the
// identifier again.
func (s *Session) refuseDurably(token uint64, e entry, open bool) {
	if e.verdict == severed && open {
		s.sever(&e)
	}
	s.forgetDurably(e.id, func() {
		if e.verdict == refused && !e.link.closed && e.link == s.link {
			s.due = append(s.due, ack{kind: ackOf(e.qos), id: e.id, code: e.code, token: token})
			s.in.owe()
		}
	})
}

// sever ends the connection. What comes after the failed publish is not acknowledged on it, not even if it is durable:
// the order of acknowledgements would have a hole.
func (s *Session) sever(e *entry) {
	l := e.link
	l.detach()
	l.peer.Sever(CodeUnspecified, fmt.Errorf("publish %d could not be stored", e.id))
}

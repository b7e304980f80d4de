package broker

import (
	"errors"
	"fmt"

	"edged/broker/record"
)

// restored is one session while it is read.
type restored struct {
	*session
	mark    record.Ref
	flights map[record.Ref]record.Half // what was under way, or has ended; QoS 1 is Sent, and in qos1
	qos1    map[record.Ref]bool
	queue   []letter            // with a form of their own, in order
	online  bool                // its client was connected when the session was written
	looked  bool                // whether keptUp was settled
	keptUp  bool                // its outbox had room when the marks were written
	doubts  map[line][]*message // what waits and may have been taken before a subscription that gives it, in order
}

// owes reports whether a letter was under way and not acknowledged.
func (s *restored) owes(r record.Ref) bool {
	h, ok := s.flights[r]
	return ok && h.State == record.Sent
}

// take gives an outbox a letter, where it was. unsettled: it is from a time when the session's subscriptions were not all what they are.
func (s *restored) take(l letter, unsettled bool) {
	h, under := s.flights[l.ref]
	switch {
	case under && h.State != record.Sent:
		return
	case under:
		delete(s.flights, l.ref)
		if l.qos = 2; s.qos1[l.ref] {
			l.qos = 1
		}
		s.resume(&flight{letter: l, id: h.ID, sent: true, size: l.size()})
	case l.ref.Seq > 0 && l.ref.Before(s.mark):
		return
	default:
		if unsettled {
			s.doubt(&l)
		}
		s.out.putBack(l, s.exempt(l))
	}
}

// exempt reports whether max_queued_* does not apply: a client that was connected and kept up when the marks were written was sent most
// of what has come since, and has acknowledged it, which nobody knows any more. It must not take the place of what was not.
func (s *restored) exempt(l letter) bool {
	if !s.online || l.ref.Seq < s.out.b.keeping.marks.Mark {
		return false
	}
	if !s.looked {
		s.looked, s.keptUp = true, !s.out.full(l)
	}
	return s.keptUp
}

// putBack has a letter wait. It is called while sessions are loaded.
func (o *outbox) putBack(l letter, must bool) {
	if !must && o.full(l) {
		o.drop(&l)
		o.forget(&l)
		return
	}
	o.grow(l.size())
	if l.m.expiry > 0 {
		o.mortal++
	}
	o.waiting.push(l)
}

// giveUp counts what was under way and is nowhere any more. An identifier of QoS 2 that the client may know is released.
func (s *restored) giveUp() {
	for ref, h := range s.flights {
		if h.State != record.Sent {
			continue
		}
		s.lost.Add(1)
		s.out.b.keeping.unreadable(fmt.Sprintf("the message at %v, on its way to %q", ref, s.id), errors.New("it is not in the log"))
		if !s.qos1[ref] {
			s.resume(&flight{letter: letter{qos: 2, ref: ref}, id: h.ID, released: true, sent: true})
		}
	}
}

// resume puts a delivery that was under way into the outbox. Of two with one identifier one has ended since it was written down: what is
// written of QoS 1 is as old as the last ride, and that PUBCOMP has come, too.
func (s *restored) resume(f *flight) {
	o := &s.out
	if o.flights == nil {
		o.flights = map[uint16]*flight{}
	}
	switch old := o.flights[f.id]; {
	case old == nil:
	case f.released:
		s.isOver(f, old)
		return
	case f.qos == 1: // its identifier is another's now
		o.putBack(f.letter.apart(), true)
		return
	case old.released:
		s.isOver(old, f)
	default:
		o.grow(-old.size)
		o.putBack(old.letter.apart(), true)
	}
	o.number++
	f.number = o.number
	o.flights[f.id] = f
	o.grow(f.size)
}

// apart is a letter of QoS 1 that waits again. The mark has passed its place in the log, and must not go back there: what has ended
// behind it is not written down any more. So it gets a form of its own.
func (l letter) apart() letter {
	if l.qos == 1 && l.ref.Seq > 0 {
		l.ref = record.Ref{}
	}
	return l
}

// isOver notes that a delivery that was released has ended, because another one has its identifier.
func (s *restored) isOver(f, by *flight) {
	if f.ref != by.ref {
		s.out.forgetFlight(f)
	}
}

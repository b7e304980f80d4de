package intake

import (
	"context"
	"errors"
	"fmt"

	"edged"
)

// enter puts the publish at the end of the line. Token 0 without an error: it is dealt with.
func (s *Session) enter(ctx context.Context, l *Link, p *Publish) (token uint64, err error) {
	if err := s.admit(ctx, l, p, p.keeps()+p.holds()); err != nil {
		if err == errNoRoom {
			err = s.turnAway(ctx, l, p, CodeQuota)
		}
		return 0, err
	}
	token = s.push(l, p)
	s.mu.Unlock()
	if token == 0 {
		s.Flush()
	}
	return token, nil
}

// errNoRoom: there was none until the context ended.
var errNoRoom = errors.New("no room")

// admit waits until there is room for a publish that keeps size bytes. It returns with the lock, and with the entry that must
// follow counted as owed; with an error it has done neither.
func (s *Session) admit(ctx context.Context, l *Link, p *Publish, size int) error {
	for {
		s.in.owe() // before looking at draining, so that Drain cannot miss it
		if s.in.draining.Load() {
			s.in.settled(1)
			return edged.ErrStopped
		}
		s.mu.Lock()
		if err := s.allowed(l, p); err != nil {
			s.mu.Unlock()
			s.in.settled(1)
			return err
		}
		full, kept := s.full(size), size > 0 && s.in.kept.over() && (s.bytes > 0 || size > small)
		if !full && !kept {
			return nil
		}
		room := s.waitForRoom(full)
		s.mu.Unlock()
		s.in.settled(1)
		var given <-chan struct{}
		if kept {
			given = s.in.kept.given()
		}
		select {
		case <-room:
		case <-given:
		case <-ctx.Done():
			return errNoRoom
		}
	}
}

// allowed says what keeps the publish out for good. It is called with the lock.
func (s *Session) allowed(l *Link, p *Publish) error {
	switch {
	case l == nil:
		return nil
	case l.closed:
		return ErrClosed
	case l.v5 && p.QoS > 0 && l.unacked >= s.in.limits.Inflight:
		s.in.excess.Inc()
		return ErrReceiveMaximum
	}
	if p.QoS == 2 && s.crowded() && s.ids.get(p.ID) == nil {
		s.in.excess.Inc()
		return ErrUnfinished
	}
	return nil
}

// small is the size of a publish that finds room although all sessions together keep too much, if its own keeps nothing: those that
// flood do not shut out the others.
const small = 4 << 10

func (s *Session) full(size int) bool {
	return s.line.len()+len(s.due)+s.removing >= s.in.limits.Pending ||
		size > 0 && s.bytes > 0 && s.bytes+int64(size) > s.in.limits.Bytes
}

// push makes the entry, or that of a repeat. It is called with the lock.
func (s *Session) push(l *Link, p *Publish) (token uint64) {
	e := entry{link: l, qos: p.QoS}
	if l != nil && p.QoS > 0 {
		e.id = p.ID
		l.counts()
		k := s.ids.get(p.ID)
		again := k != nil && p.Dup && k.qos == p.QoS && k.state != releasing
		if again && k.state != inPart {
			s.repeat(e, *k)
			return 0
		}
		if p.QoS == 2 && s.memory != nil {
			s.identify(p, k, again)
		}
	}
	e.waits = p.waits()
	if p.Retained != nil {
		e.waits++
	}
	if p.QoS == 0 {
		s.zero++
	}
	e.after, e.bytes, e.holds = p.After, p.keeps(), p.holds()
	if e.after != nil {
		e.after.Begin(p.isRead())
	}
	e.kept = p.QoS == 2 && p.Origin.Copies > 0
	s.bytes += int64(e.bytes + e.holds)
	s.in.kept.take(int64(e.bytes + e.holds))
	token = s.line.push(e)
	if e.id != 0 {
		s.remember(e.id, known{token: token, qos: e.qos, state: taken})
	}
	return token
}

// counts notes a publish with QoS > 0.
func (l *Link) counts() {
	l.unacked++
	l.s.user = l.number
}

// repeat lines up for an acknowledgement of what is known already [MQTT-4.3.3-10].
func (s *Session) repeat(e entry, k known) {
	s.in.duplicates.Inc()
	if k.state == taken {
		e.waits = 1
	}
	token := s.line.push(e)
	if k.state == taken {
		s.line.at(k.token).heir = token
	}
	s.remember(e.id, known{token: token, qos: e.qos, state: taken})
	s.release()
}

// turnAway answers a publish for which there was no room in time, MQTT 5 with the code. It was not entered.
func (s *Session) turnAway(ctx context.Context, l *Link, p *Publish, code byte) error {
	switch {
	case s.in.draining.Load():
		return edged.ErrStopped
	case l == nil:
		s.in.dropped.Inc()
		return fmt.Errorf("%w: %w", ErrNotInTime, ctx.Err())
	case l.ctx.Err() != nil:
		return ErrClosed
	case p.QoS == 0:
		s.in.dropped.Inc()
		return nil
	}
	s.in.full.Inc()
	if !l.v5 {
		return ErrNotInTime
	}
	l.refuse(p, code)
	return nil
}

package intake

import (
	"context"
	"errors"
	"fmt"

	"edged"
)

// Take takes a publish that something must wait for: QoS > 0, or a retained change. It returns when every receiver has
// taken it, before it is durable. It blocks while there is no room, for at most the connection's patience.
//
// nil: its acknowledgement becomes due in its turn; for an MQTT 5 client that may be a refusal (0x97).
// edged.ErrStopped: nothing is taken in any more; what was taken before is still acknowledged, so the connection should
// stay open, unread. Any other error: the connection should be closed, so that a client knows that the message is still
// its own.
func (l *Link) Take(p *Publish) error {
	defer l.patience.reset()
	return l.s.take(&l.patience, l, p)
}

// Offer hands a publish of QoS 0 to its receivers; a receiver that does not take it in time loses it, and that is
// counted. The only error is edged.ErrStopped.
func (l *Link) Offer(p *Publish) error {
	defer l.patience.reset()
	return l.s.Offer(&l.patience, p)
}

// Take is Link.Take for a publisher without a connection. ctx bounds the wait, and every failure is an error: there is
// nobody else to tell. It can be called from many goroutines.
func (s *Session) Take(ctx context.Context, p *Publish) error { return s.take(ctx, nil, p) }

// Offer is Link.Offer for a publisher without a connection.
func (s *Session) Offer(ctx context.Context, p *Publish) error {
	s.in.received[0].Inc()
	if s.in.draining.Load() {
		return edged.ErrStopped
	}
	return s.offer(ctx, p)
}

// Refuse answers a publish with QoS > 0 of an MQTT 5 connection with a reason code, in its turn. Nobody gets it. It blocks
// while there is no room for the answer, and its errors are those of Take: a client that does not read what it is told waits
// like any other.
func (l *Link) Refuse(p *Publish, code byte) error {
	defer l.patience.reset()
	s := l.s
	if err := s.admit(&l.patience, l, p, 0); err != nil {
		if err == errNoRoom {
			err = s.turnAway(&l.patience, l, p, code)
		}
		return err
	}
	s.pushRefusal(l, p, code)
	s.mu.Unlock()
	s.Flush()
	return nil
}

// refuse is Refuse although there is no room: the Receive Maximum bounds what that can come to.
func (l *Link) refuse(p *Publish, code byte) {
	s := l.s
	s.in.owe()
	s.mu.Lock()
	if l.closed {
		s.mu.Unlock()
		s.in.settled(1)
		return
	}
	s.pushRefusal(l, p, code)
	s.mu.Unlock()
	s.Flush()
}

func (s *Session) pushRefusal(l *Link, p *Publish, code byte) {
	l.counts()
	s.line.push(entry{link: l, qos: p.QoS, id: p.ID, verdict: refused, code: code})
	s.release()
}

func (s *Session) offer(ctx context.Context, p *Publish) error {
	for _, h := range p.To {
		if err := h.Take(ctx, &p.Message, nil, 0); err != nil {
			if s.in.ended(err) {
				return edged.ErrStopped
			}
			s.in.dropped.Inc()
			if s.in.log.Due("dropped") {
				s.in.log.Warn("dropped", "a QoS 0 message was dropped: a receiver could not take it in time",
					"client", s.client, "topic", p.Topic, "error", err)
			}
		}
	}
	return nil
}

func (s *Session) take(ctx context.Context, l *Link, p *Publish) error {
	s.in.received[p.QoS].Inc()
	token, err := s.enter(ctx, l, p)
	if err != nil || token == 0 {
		return err
	}
	if p.Retained != nil {
		// Before the receivers, so that the change is in the commit that holds the message.
		p.Retained.Retain(func(err error) { s.retained(token, err); s.Flush() })
	}
	if p.QoS == 0 {
		err = s.offer(ctx, p)
		return s.settle(token, 1, l, err)
	}
	waits, handed := p.waits(), len(p.To)
	for i, h := range p.To {
		if p.has(i) {
			continue
		}
		if err = p.hand(ctx, h, i, s, token); err != nil {
			handed = i
			break
		}
		waits--
	}
	if p.Origin.Copies > 0 && (err != nil || p.Retained != nil) {
		s.noteHanded(token, p, handed)
	}
	if waits == 0 {
		return nil // it may have left the line already
	}
	return s.settle(token, waits, l, err)
}

// waits is for how many an entry waits besides its retained change: the receivers, and the call of Take itself unless they see to it that the entry stays
// for as long as Take needs it.
func (p *Publish) waits() int {
	if p.QoS == 0 {
		return 1
	}
	n := p.wanting()
	if n == 0 || p.Retained != nil {
		n++
	}
	return n
}

// hand hands the publish to one receiver, whose number is i.
func (p *Publish) hand(ctx context.Context, h edged.Handler, i int, s *Session, token uint64) error {
	if !p.Keep || i != p.Keeper || p.isRead() {
		return h.Take(ctx, &p.Message, s, token)
	}
	p.Message.Kept, p.Message.Extra = true, p.Extra
	err := h.Take(ctx, &p.Message, (*keeper)(s), token)
	p.Message.Kept, p.Message.Extra = false, nil
	return err
}

// settle gives up the caller's part of what the entry waits for, and that of the receivers that did not take it.
func (s *Session) settle(token uint64, waits int, l *Link, err error) error {
	v, answer := accepted, error(nil)
	switch {
	case err == nil:
	case s.in.ended(err):
		v, answer = abandoned, edged.ErrStopped
	case l == nil:
		s.in.dropped.Inc()
		v, answer = abandoned, err
	case l.ctx.Err() != nil:
		v, answer = abandoned, ErrClosed
	case l.v5:
		s.in.full.Inc()
		v = refused
	default:
		s.in.full.Inc()
		v, answer = abandoned, fmt.Errorf("%w: %w", ErrNotInTime, err)
	}
	s.mu.Lock()
	e := s.line.at(token)
	e.waits -= waits
	if e.verdict == accepted {
		e.verdict, e.code = v, CodeQuota
	}
	s.release()
	s.mu.Unlock()
	s.Flush()
	return answer
}

func (in *Intake) ended(err error) bool {
	return errors.Is(err, edged.ErrStopped) || in.draining.Load()
}

package broker

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"edged"
	"edged/broker/intake"
	"edged/broker/record"
)

// Attach adds a receiver: h gets every publish whose topic matches one of the filters, once however many match, from the
// goroutine that reads its publisher's connection. A publish is acknowledged when every receiver has it on disk; what no
// receiver wants is acknowledged unstored, so attach receivers before Run. A publish that is being taken in while detach
// runs may still come.
//
// source is the name of the receiver whose blocks in the log have what h acknowledges, where sessions that are kept find it; "" if the log has
// it not, or not for good.
func (b *Broker) Attach(source string, filters []string, h edged.Handler) (detach func()) {
	return b.routes.attach(&attachment{source: source, filters: filters, h: h, whole: true})
}

// AttachParts is Attach for a receiver that puts something else into the log than the messages as they came, such as their lines.
// Sessions that are kept do not read its copies: the broker's own source keeps one for them.
func (b *Broker) AttachParts(source string, filters []string, h edged.Handler) (detach func()) {
	return b.routes.attach(&attachment{source: source, filters: filters, h: h})
}

// Reattach gives a receiver that is attached other filters, at once: no publish finds neither the old ones nor the new ones, and none finds
// both. The detach that it returns takes the place of the former one, which does nothing any more. whole is false for what AttachParts is for.
func (b *Broker) Reattach(source string, filters []string, h edged.Handler, whole bool) (detach func()) {
	return b.routes.reattach(&attachment{source: source, filters: filters, h: h, whole: whole})
}

// AttachOwn gives the broker a source of its own in the log, for messages that only sessions which are kept want. Without it, or without
// Options.Store, sessions live in memory. It is called before Run.
func (b *Broker) AttachOwn(source string, h edged.Handler) {
	b.routes.own = &attachment{source: source, h: h}
	b.routes.changed() // those that were found when the sessions were loaded
}

// Publish takes a message in from within the process, as if a client had sent it: it goes to the receivers, the retained
// messages and the subscribers. It returns when it was taken in, for QoS 1 and 2 before it is durable; subscribers get
// those when they are. Messages of one goroutine keep their order. payload is the caller's again when it returns.
//
// It blocks under back-pressure until ctx ends. An error means that no subscriber gets the message; a receiver may have
// taken it nevertheless if there are several. edged.ErrStopped: the broker is stopping. edged.ErrFull: the store is full.
func (b *Broker) Publish(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error {
	if qos > 2 {
		return fmt.Errorf("broker: there is no QoS %d", qos)
	}
	return b.publish(ctx, b.local, &b.lane, &message{topic: topic, payload: payload, qos: qos, retain: retain}, nil)
}

// publish takes in what no connection waits for. then, if there is one, learns what becomes of a message that was taken with QoS 1 or 2.
func (b *Broker) publish(ctx context.Context, s *intake.Session, l *lane, m *message, then *outcome) error {
	r := b.routes.of(m.topic)
	if r.wrong != nil {
		b.met.badTopic.Inc()
		return edged.WithClass(fmt.Errorf("broker: topic %q: %w", m.topic, r.wrong), edged.Poison)
	}
	p := &intake.Publish{To: r.to, Sources: r.sources}
	p.Message = edged.Message{Topic: m.topic, Payload: m.payload, QoS: m.qos, Retain: m.retain}
	retained := m.retain && b.retained.admit(&p.Message, len(m.props), s.Client())
	wanted := r.wanted() || b.taps.any()
	if wanted || retained {
		kept := *m
		kept.topic, kept.payload, kept.since = strings.Clone(m.topic), bytes.Clone(m.payload), b.routes.changes.Load()
		m = &kept
	}
	r.keepIn(p, record.Extra{Props: m.props, Expiry: m.expiry, Origin: m.origin}, nil)
	if p.Keep { // somebody wants it, so that m is our own
		m.kept = true
	}
	if m.qos == 0 && !retained && !s.Behind() {
		err := s.Offer(ctx, p)
		if err == nil && wanted {
			b.deliver(m)
		}
		return err
	}
	if wanted || retained {
		p.After, p.Keeps = b.deliverTo(l, m, r)
	}
	if then != nil && m.qos > 0 {
		p.After = then.watch(b.in, p.After)
	}
	if retained {
		p.Retained, p.Holds = b.retained.change(m)
	}
	return s.Take(ctx, p)
}

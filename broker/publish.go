package broker

import (
	"bytes"
	"errors"
	"time"
	"unicode/utf8"

	"edged"
	"edged/broker/intake"
	"edged/broker/record"
	"edged/broker/wire"
)

var errDenied = errors.New("acl_file does not allow it")

// publish takes a PUBLISH, from the wire into the blocks of the receivers that want it. Everything that it changes is under
// way, or refused, when it returns; a plain one when takeGathered does.
func (c *conn) publish(f wire.Frame) error {
	m := &c.pub
	if err := m.Decode(f, c.v5()); err != nil {
		return err
	}
	c.slowDown()
	c.received.Add(1)
	c.b.met.publishBytes.Add(len(m.Payload))
	r, err := c.route(m)
	if err != nil {
		return err
	}
	may := r.wrong == nil && r.mayWrite(c.session.profile.Load())
	if may && c.plain(m, r) {
		c.gather(m, r)
		return nil
	}
	c.takeGathered()
	p := &c.offer
	*p = intake.Publish{ID: m.ID, Dup: m.Dup, To: r.to, Sources: r.sources}
	p.Message = edged.Message{Topic: r.name, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain}
	if m.QoS == 2 {
		p.Origin = edged.Origin{Client: c.session.id, PacketID: m.ID}
	}
	switch {
	case r.wrong != nil:
		c.settled(c.refuse(p, wire.BadTopic, r.wrong))
		return nil
	case !may:
		c.b.met.denied.Inc()
		c.settled(c.refuse(p, wire.NotAuthorized, errDenied))
		return nil
	}
	retained := m.Retain
	if retained && !c.b.retained.admit(&p.Message, len(m.Props), c.session.id) {
		retained = false
		if c.v5() && m.QoS > 0 {
			c.settled(c.link.Refuse(p, wire.QuotaExceeded))
			return nil
		}
	}
	c.settled(c.take(p, m, r, retained))
	return nil
}

func (c *conn) take(p *intake.Publish, m *wire.Publish, r *route, retained bool) error {
	wanted := r.wanted() || c.b.taps.any()
	x := record.Extra{Props: m.Props, Origin: c.session.id}
	if m.HasExpiry {
		x.Expiry = expiryIn(m.Expiry)
	}
	c.extra = r.keepIn(p, x, c.extra[:0])
	if p.QoS == 0 && !retained && !c.session.in.Behind() {
		err := c.link.Offer(p)
		if err == nil && wanted {
			c.b.deliver(messageOf(m, r.name, c.session.id))
		}
		return err
	}
	if wanted || retained {
		kept := messageOf(m, r.name, c.session.id)
		kept.since, kept.kept = c.b.routes.changes.Load(), p.Keep
		p.After, p.Keeps = c.b.deliverTo(&c.session.lane, kept, r) // also for those who subscribe before it is retained
		if retained {
			p.Retained, p.Holds = c.b.retained.change(kept)
		}
	}
	return c.link.Take(p)
}

// route resolves a topic alias [MQTT-3.3.2-7] and finds what the topic means.
func (c *conn) route(m *wire.Publish) (*route, error) {
	if !m.HasAlias {
		return c.known(m.Topic)
	}
	if m.Alias == 0 || m.Alias > topicAliases {
		return nil, &wire.Error{Code: wire.BadAlias, Why: "a topic alias that it was not allowed [MQTT-3.3.2-8] [MQTT-3.3.2-9]"}
	}
	if len(m.Topic) > 0 {
		r, err := c.known(m.Topic)
		if err == nil {
			err = c.leaveAlias(len(r.name) - len(c.aliases[m.Alias]))
		}
		if err == nil {
			c.aliases[m.Alias] = r.name
		}
		return r, err
	}
	if c.aliases[m.Alias] == "" {
		return nil, &wire.Error{Code: wire.ProtocolError, Why: "a topic alias that was never set (3.3.2.3.4)"}
	}
	return c.b.routes.of(c.aliases[m.Alias]), nil
}

// leaveAlias counts n bytes more of the client's topic aliases.
func (c *conn) leaveAlias(n int) error {
	own := n
	for _, name := range c.aliases {
		own += len(name)
	}
	return c.b.deposits.take(n, own)
}

// known is the route of a topic as it came, until the next one is asked for; an error if the topic could not even be a name.
func (c *conn) known(name []byte) (*route, error) {
	r := c.b.routes.ofBytes(name, &c.passing)
	if r.malformed {
		code := wire.BadTopic
		if !utf8.Valid(name) || bytes.IndexByte(name, 0) >= 0 {
			code = wire.Malformed // [MQTT-1.5.4-1] [MQTT-1.5.4-2]
		}
		return nil, &wire.Error{Code: code, Why: "a PUBLISH to something that is no topic name: " + r.wrong.Error()}
	}
	return r, nil
}

// slowDown holds a client that publishes faster than max_message_rate. Nothing is lost: it is read later.
func (c *conn) slowDown() {
	if c.rate == nil {
		return
	}
	d := c.rate.Reserve().Delay()
	if d <= 0 {
		return
	}
	c.b.met.slowed.Inc()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.done:
	}
}

// refuse answers a publish that can never be taken. 3.1.1 can only be told by closing the connection.
func (c *conn) refuse(p *intake.Publish, code byte, why error) (err error) {
	if code == wire.BadTopic {
		c.b.met.badTopic.Inc()
	}
	switch {
	case p.QoS > 0 && c.v5():
		err = c.link.Refuse(p, code)
	case p.QoS > 0:
		c.goodbye(code, why)
	}
	if c.b.seldom.Due("refused") {
		c.b.seldom.Warn("refused", "broker: a publish was refused", "client", c.session.id, "user", c.user, "topic", p.Topic, "qos", p.QoS, "reason", why)
	}
	return err
}

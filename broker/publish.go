package broker

import (
	"errors"
	"fmt"
	"strings"

	"edged"
	"edged/broker/intake"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// topicAliases is the Topic Alias Maximum that MQTT 5 clients are told.
const topicAliases = 16

var (
	errLevels   = errors.New("the topic has more levels than max_topic_levels allows")
	errReserved = errors.New("the topic is reserved for the broker")
)

// publish takes a PUBLISH. Everything that it changes is under way, or refused, when it returns. The library gets it back
// only if it is malformed: then it says so to the client.
//
// The sequence is the one that any front end must keep: topic alias, route, retained limit, then Offer or Take.
func (c *conn) publish(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.PublishValidate(topicAliases) != packets.CodeSuccess {
		return pk
	}
	if !resolveAlias(cl, &pk) {
		c.goodbye(packets.ErrProtocolViolation, errors.New("a topic alias that was never set"))
		return handled
	}
	p := &c.pub
	defer func() { *p = intake.Publish{} }() // or an idle connection keeps its last packet
	*p = intake.Publish{ID: pk.PacketID, Dup: pk.FixedHeader.Dup}
	p.Message = edged.Message{Topic: pk.TopicName, Payload: pk.Payload, QoS: pk.FixedHeader.Qos, Retain: pk.FixedHeader.Retain}
	if p.QoS == 2 {
		p.Origin = edged.Origin{Client: c.session.id, PacketID: p.ID}
	}
	r := c.b.routes.of(p.Topic)
	if r.wrong != nil {
		c.refuse(p, packets.ErrTopicNameInvalid, r.wrong)
		return handled
	}
	p.To = r.to
	retained := p.Retain
	if retained && !c.b.retained.admit(&p.Message, c.session.id) {
		retained = false
		if c.v5() && p.QoS > 0 {
			c.link.Refuse(p, packets.ErrQuotaExceeded.Code)
			return handled
		}
	}
	c.ended(c.take(p, &pk, r, retained))
	return handled
}

func (c *conn) take(p *intake.Publish, pk *packets.Packet, r *route, retained bool) error {
	wanted := r.wanted() || c.b.taps.any()
	if p.QoS == 0 && !retained && !c.session.in.Behind() {
		err := c.link.Offer(p)
		if err == nil && wanted {
			c.b.deliver(messageOf(pk, c.session.id))
		}
		return err
	}
	if wanted || retained {
		m := messageOf(pk, c.session.id)
		if wanted {
			p.After = delivery{c.b, m}
		}
		if retained {
			p.Retained = change{&c.b.retained, m}
		}
	}
	return c.link.Take(p)
}

// resolveAlias replaces a topic alias by its topic [MQTT-3.3.2-7]; false if it has none.
func resolveAlias(cl *mqtt.Client, pk *packets.Packet) bool {
	if !pk.Properties.TopicAliasFlag {
		return true
	}
	if pk.TopicName != "" {
		pk.TopicName = strings.Clone(pk.TopicName) // the alias must not keep the packet
	}
	pk.TopicName = cl.State.TopicAliases.Inbound.Set(pk.Properties.TopicAlias, pk.TopicName)
	return pk.TopicName != ""
}

// refuse answers a publish that can never be taken. 3.1.1 can only be told by closing the connection.
func (c *conn) refuse(p *intake.Publish, code packets.Code, why error) {
	c.b.met.badTopic.Inc()
	switch {
	case p.QoS > 0 && c.v5():
		c.link.Refuse(p, code.Code)
	case p.QoS > 0:
		c.goodbye(code, why)
	}
	c.b.seldom.Warn("refused", "broker: a publish was refused", "client", c.session.id, "topic", p.Topic, "qos", p.QoS, "reason", why)
}

// ended acts on what Take or Release said.
func (c *conn) ended(err error) {
	switch {
	case err == nil:
	case errors.Is(err, edged.ErrStopped):
		c.park()
	case errors.Is(err, intake.ErrReceiveMaximum):
		c.goodbye(packets.ErrReceiveMaximum, err)
	case errors.Is(err, intake.ErrNotInTime):
		c.goodbye(packets.ErrQuotaExceeded, fmt.Errorf("no room for its publishes: a receiver is full, or it does not read its acknowledgements: %w", err))
	default:
		c.goodbye(packets.ErrUnspecifiedError, err)
	}
}

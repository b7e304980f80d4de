package broker

import (
	"errors"
	"slices"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// maxBacklog is the number of unwritten bytes past which a client gets no messages of QoS 0.
const maxBacklog = 256 << 10

// deliver gives a message to everyone who subscribes to its topic, once each [MQTT-3.3.5-1]. It does not block.
func (b *Broker) deliver(m *message) {
	b.taps.offer(m, false)
	r := b.routes.of(m.topic)
	subs := r.subs
	if r.shared {
		subs = b.chooseShared(m.topic)
	}
	if len(subs) == 0 || m.expired() {
		return
	}
	for id, sub := range subs {
		if sub.NoLocal && id == m.origin { // [MQTT-3.8.3-3]
			continue
		}
		if s := b.sessions.get(id); s != nil {
			b.send(s, &sub, m, m.retain && sub.RetainAsPublished) // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
		}
	}
}

// chooseShared returns the subscribers of a topic with one member of each shared subscription.
func (b *Broker) chooseShared(topic string) map[string]packets.Subscription {
	s := b.srv.Topics.Subscribers(topic)
	s.SelectShared()
	s.MergeSharedSelected()
	return s.Subscriptions
}

// send gives a message to one subscriber, with the smaller QoS of the two [MQTT-3.3.5-1].
func (b *Broker) send(s *session, sub *packets.Subscription, m *message, retain bool) {
	l := letter{m: m, ids: identifiers(sub), qos: min(m.qos, sub.Qos), retain: retain}
	if l.qos > 0 {
		s.out.add(l)
		return
	}
	if cl, ok := b.srv.Clients.Get(s.id); ok {
		b.write(cl, l.packet())
	}
}

// write hands a packet to the client's connection, if it has one. It is false if the packet is larger than the client
// accepts.
func (b *Broker) write(cl *mqtt.Client, pk packets.Packet) bool {
	err := cl.WritePacket(pk)
	switch {
	case err == nil && pk.FixedHeader.Type == packets.Publish:
		b.met.sent.Inc()
	case errors.Is(err, packets.ErrPacketTooLarge):
		b.met.tooLarge.Inc()
		return false
	}
	return true // an error means that the connection has ended, or is congested, which was counted
}

// identifiers are the subscription identifiers of a delivery [MQTT-3.3.4-3].
func identifiers(sub *packets.Subscription) (out []int) {
	for _, id := range sub.Identifiers {
		if id > 0 {
			out = append(out, id)
		}
	}
	if sub.Identifiers == nil && sub.Identifier > 0 {
		out = append(out, sub.Identifier)
	}
	slices.Sort(out)
	return out
}

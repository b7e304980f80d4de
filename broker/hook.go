package broker

import (
	"fmt"

	"edged/internal/topic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// maxKeepalive is the longest silence that an MQTT 5 client is granted, in seconds; it is told so [MQTT-3.1.2-21]. 3.1.1
// clients keep what they asked for; TCP's own keepalive finds those that are gone.
const maxKeepalive = 3600

// hook is where the library calls us.
type hook struct {
	mqtt.HookBase
	b *Broker
}

func (h *hook) ID() string { return "edged" }

func (h *hook) Provides(event byte) bool {
	switch event {
	case mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnSessionEstablish, mqtt.OnSessionEstablished,
		mqtt.OnDisconnect, mqtt.OnPacketRead, mqtt.OnPacketEncode, mqtt.OnPacketProcessed, mqtt.OnSubscribe, mqtt.OnSubscribed,
		mqtt.OnUnsubscribed, mqtt.OnWill, mqtt.OnRetainedExpired:
		return true
	}
	return false
}

// connOf is nil only for clients that the library makes for itself.
func connOf(cl *mqtt.Client) *conn { c, _ := cl.Net.Conn.(*conn); return c }

// OnConnectAuthenticate lets everyone in: an address that others can reach is only listened on if the user said so.
func (h *hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck allows everything, for the same reason.
func (h *hook) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// OnConnect comes after a valid CONNECT.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	c := connOf(cl)
	c.version = pk.ProtocolVersion
	if h.b.sessions.full(cl.ID) {
		return h.turnAway(cl)
	}
	if pk.Connect.WillFlag {
		if err := h.b.routes.check(pk.Connect.WillTopic); err != nil {
			if c.v5() {
				_ = h.b.srv.SendConnack(cl, packets.ErrTopicNameInvalid, false, nil)
			}
			c.why, c.reason = fmt.Errorf("the topic of its will: %w", err), packets.ErrTopicNameInvalid.Code
			return packets.ErrTopicNameInvalid
		}
		c.will = willOf(&pk, cl.ID)
	}
	if k := &cl.State.Keepalive; c.v5() && (*k == 0 || *k > maxKeepalive) {
		*k, cl.State.ServerKeepalive = maxKeepalive, true
	}
	c.patience = c.keepalive(cl.State.Keepalive)

	c.receiveMax = h.b.cfg.MaxInflight
	if n := int(pk.Properties.ReceiveMaximum); n > 0 {
		c.receiveMax = min(n, c.receiveMax)
	}
	// The library delivers nothing but $SYS; aliases would go wrong for what is dropped after it has given them out.
	cl.Properties.Props.TopicAliasMaximum = 0
	return nil
}

// turnAway tells a client that there are max_connections others.
func (h *hook) turnAway(cl *mqtt.Client) error {
	code := packets.ErrServerBusy
	if !connOf(cl).v5() {
		code = packets.ErrServerUnavailable
	}
	_ = h.b.srv.SendConnack(cl, code, false, nil)
	return packets.ErrServerBusy
}

// OnSessionEstablish comes before the library looks for the session.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	h.b.sessions.begin(connOf(cl), cl, pk)
}

// OnSessionEstablished comes after CONNACK.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	h.b.sessions.established(connOf(cl), cl)
}

// OnDisconnect comes when the reading goroutine has ended.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) { h.b.ended(connOf(cl)) }

// OnWill takes the will out of the library's hands: what it returns reaches nobody.
func (h *hook) OnWill(cl *mqtt.Client, _ mqtt.Will) (mqtt.Will, error) {
	h.b.wills.due(connOf(cl))
	cl.Properties.Will.WillDelayInterval = 0
	return mqtt.Will{}, nil
}

// OnSubscribe comes before a SUBSCRIBE is carried out.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	return connOf(cl).subscribing(cl, pk)
}

// OnSubscribed comes after the index has changed and before SUBACK.
func (h *hook) OnSubscribed(cl *mqtt.Client, _ packets.Packet, codes []byte) {
	h.b.routes.changed()
	connOf(cl).refuseExcess(codes)
	connOf(cl).granted = codes
}

// OnUnsubscribed comes after the index has changed.
func (h *hook) OnUnsubscribed(*mqtt.Client, packets.Packet) { h.b.routes.changed() }

// OnPacketProcessed comes when a packet of a client is done with.
func (h *hook) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, err error) {
	if c := connOf(cl); c != nil && err == nil && pk.FixedHeader.Type == packets.Subscribe {
		c.sendRetained(cl, c.granted)
	}
}

// OnRetainedExpired comes after the library has removed a retained message.
func (h *hook) OnRetainedExpired(name string) {
	if topic.CheckName(name) == nil {
		h.b.retained.expired(name)
	}
}

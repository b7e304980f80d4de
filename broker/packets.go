package broker

import (
	"errors"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// handled is given to the library in place of a packet that we dealt with: an acknowledgement of nothing, which it passes
// over.
var handled = packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}}

// OnPacketRead sees each packet of a client before the library acts on it.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := connOf(cl)
	if c.session == nil {
		return pk, nil // CONNECT
	}
	if c.closed() {
		return pk, packets.ErrRejectPacket // the library still has some in its buffer; this ends its reading
	}
	switch pk.FixedHeader.Type {
	case packets.Publish:
		return c.publish(cl, pk), nil
	case packets.Pubrel:
		if pk.PacketID == 0 {
			c.goodbye(packets.ErrProtocolViolationNoPacketID, packets.ErrProtocolViolationNoPacketID)
			return handled, nil
		}
		c.ended(c.link.Release(pk.PacketID))
		return handled, nil
	case packets.Puback, packets.Pubrec, packets.Pubcomp:
		c.session.out.acknowledged(c, &pk)
		return handled, nil
	case packets.Subscribe, packets.Unsubscribe:
		return c.lendID(pk), nil
	case packets.Disconnect:
		return c.disconnecting(pk), nil
	}
	return pk, nil
}

// lendID hides the packet identifier of a SUBSCRIBE or UNSUBSCRIBE from the library: it would be refused if a delivery to
// the same client has the same identifier at the moment, although the two are not related (MQTT 5, 2.2.1). OnPacketEncode
// puts it into the answer.
func (c *conn) lendID(pk packets.Packet) packets.Packet {
	if pk.PacketID != 0 {
		c.ackID, pk.PacketID, pk.FixedHeader.Qos = pk.PacketID, 0, 0
	}
	return pk
}

// disconnecting carries out the change of the session's lifetime that a DISCONNECT can ask for, and sees to it that only
// reason code 0 withdraws the will [MQTT-3.14.4-3]. The library does not look at a reason code without properties.
func (c *conn) disconnecting(pk packets.Packet) packets.Packet {
	if pk.Properties.SessionExpiryIntervalFlag && !c.b.sessions.extend(c.session, pk.Properties.SessionExpiryInterval) {
		c.goodbye(packets.ErrProtocolViolation, errors.New("its DISCONNECT asks for a session that its CONNECT did not"))
		return handled
	}
	pk.Properties.SessionExpiryIntervalFlag = false
	if c.v5() && pk.FixedHeader.Remaining == 1 {
		pk.ReasonCode = c.last // nothing may follow a DISCONNECT [MQTT-3.14.4-1], so it was the last byte
	}
	if pk.ReasonCode == packets.CodeDisconnect.Code {
		c.will = nil
	} else {
		pk.ReasonCode = packets.CodeDisconnectWillMessage.Code
	}
	return pk
}

// OnPacketEncode sees each packet to a client before it is encoded. A packet of type 0 is not sent.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c := connOf(cl)
	if c == nil {
		return pk
	}
	switch pk.FixedHeader.Type {
	case packets.Publish:
		if pk.FixedHeader.Qos == 0 && c.congested() {
			h.b.met.congested.Inc()
			h.b.seldom.Warn("congested", "broker: messages of QoS 0 are dropped for a client that reads too slowly", "client", cl.ID, "topic", pk.TopicName)
			pk.FixedHeader.Type = packets.Reserved
		}
	case packets.Suback, packets.Unsuback:
		pk.PacketID = c.ackID
	case packets.Connack:
		if pk.ReasonCode == packets.CodeSuccess.Code {
			pk.Properties.MaximumPacketSize = uint32(h.b.cfg.MaxPacketSize)
			pk.Properties.TopicAliasMaximum = topicAliases
			if c.capped {
				pk.Properties.SessionExpiryInterval = uint32(h.b.cfg.SessionExpiry.D().Seconds())
				pk.Properties.SessionExpiryIntervalFlag = true
			}
		}
	case packets.Disconnect:
		if cl.Properties.ProtocolVersion < 5 {
			pk.FixedHeader.Type = packets.Reserved // 3.1.1 servers do not send it (3.14)
		}
	}
	return pk
}

package broker

import "github.com/mochi-mqtt/server/v2/packets"

// acknowledged handles a subscriber's PUBACK, PUBREC or PUBCOMP from the connection c.
func (o *outbox) acknowledged(c *conn, pk *packets.Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.c != c {
		return // another connection has the session; it gets the delivery again
	}
	f, known := o.flights[pk.PacketID]
	if pk.FixedHeader.Type == packets.Pubrec && pk.ReasonCode < packets.ErrUnspecifiedError.Code {
		if !known {
			o.release(pk.PacketID, packets.ErrPacketIdentifierNotFound)
			return
		}
		o.number++
		f.released, f.number, f.letter = true, o.number, letter{} // [MQTT-4.3.3-5]; PUBRELs keep their order [MQTT-4.6.0-4]
		o.release(f.id, packets.CodeSuccess)
		return
	}
	if known {
		o.end(f)
		o.pump()
	}
}

// release sends PUBREL [MQTT-4.3.3-4].
func (o *outbox) release(id uint16, code packets.Code) {
	o.b.write(o.cl, packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: id, ReasonCode: code.Code})
}

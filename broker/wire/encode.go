package wire

import "encoding/binary"

// Message is a PUBLISH to a subscriber.
type Message struct {
	Topic       string // "": the alias says it
	Payload     []byte
	Props       []byte // as on the wire
	SubIDs      []uint32
	ID          uint16
	Alias       uint16 // 0: none
	QoS         byte
	Dup, Retain bool
	Expiry      uint32 // seconds, if HasExpiry
	HasExpiry   bool
}

// Size is the length of the packet, with everything.
func (m *Message) Size(v5 bool) int {
	n := m.body(v5)
	return 1 + varintSize(n) + n
}

func (m *Message) body(v5 bool) int {
	n := 2 + len(m.Topic) + len(m.Payload)
	if m.QoS > 0 {
		n += 2
	}
	if v5 {
		p := m.props()
		n += varintSize(p) + p
	}
	return n
}

func (m *Message) props() int {
	n := len(m.Props)
	if m.HasExpiry {
		n += 5
	}
	if m.Alias > 0 {
		n += 3
	}
	for _, id := range m.SubIDs {
		n += 1 + varintSize(int(id))
	}
	return n
}

// Append encodes the packet.
func (m *Message) Append(b []byte, v5 bool) []byte {
	first := PUBLISH | m.QoS<<1
	if m.Dup {
		first |= 8
	}
	if m.Retain {
		first |= 1
	}
	b = binary.AppendUvarint(append(b, first), uint64(m.body(v5))) // the same encoding (1.5.5)
	b = appendText(b, m.Topic)
	if m.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, m.ID)
	}
	if v5 {
		b = binary.AppendUvarint(b, uint64(m.props()))
		if m.HasExpiry {
			b = binary.BigEndian.AppendUint32(append(b, messageExpiry), m.Expiry)
		}
		if m.Alias > 0 {
			b = binary.BigEndian.AppendUint16(append(b, topicAlias), m.Alias)
		}
		for _, id := range m.SubIDs {
			b = binary.AppendUvarint(append(b, subscriptionID), uint64(id))
		}
		b = append(b, m.Props...)
	}
	return append(b, m.Payload...)
}

// Connack is a CONNACK.
type Connack struct {
	Present bool
	Code    byte // of MQTT 5

	// MQTT 5, sent with Code 0.
	ReceiveMaximum   uint16
	MaxPacketSize    uint32
	AliasMaximum     uint16
	AssignedClientID string // "": none
	SessionExpiry    uint32 // if HasExpiry: it is not what the client asked for
	HasExpiry        bool
	KeepAlive        uint16 // if HasKeepAlive: it is not what the client asked for
	HasKeepAlive     bool
}

// Append encodes the packet. Availability of QoS 2, retained messages, wildcards, subscription identifiers and shared
// subscriptions is what a client takes for granted, and not said.
func (c *Connack) Append(b []byte, v5 bool) []byte {
	var present byte
	if c.Present {
		present = 1
	}
	if !v5 {
		return append(b, CONNACK, 2, present, V3Code(c.Code))
	}
	var p []byte
	if c.Code == Success {
		p = binary.BigEndian.AppendUint16(append(p, receiveMaximum), c.ReceiveMaximum)
		p = binary.BigEndian.AppendUint32(append(p, maxPacketSize), c.MaxPacketSize)
		p = binary.BigEndian.AppendUint16(append(p, topicAliasMax), c.AliasMaximum)
		if c.AssignedClientID != "" {
			p = appendText(append(p, assignedClientID), c.AssignedClientID)
		}
		if c.HasExpiry {
			p = binary.BigEndian.AppendUint32(append(p, sessionExpiry), c.SessionExpiry)
		}
		if c.HasKeepAlive {
			p = binary.BigEndian.AppendUint16(append(p, serverKeepAlive), c.KeepAlive)
		}
	}
	b = binary.AppendUvarint(append(b, CONNACK), uint64(2+varintSize(len(p))+len(p)))
	return append(binary.AppendUvarint(append(b, present, c.Code), uint64(len(p))), p...)
}

// AppendSuback encodes a SUBACK or, without codes in version 3.1.1, an UNSUBACK; first says which.
func AppendSuback(b []byte, first byte, v5 bool, id uint16, codes []byte) []byte {
	n := 2 + len(codes)
	if v5 {
		n++
	}
	b = binary.BigEndian.AppendUint16(binary.AppendUvarint(append(b, first), uint64(n)), id)
	if v5 {
		b = append(b, 0) // properties
	}
	return append(b, codes...)
}

// AppendRelease encodes a PUBREL.
func AppendRelease(b []byte, id uint16, code byte) []byte {
	if code != Success {
		return append(b, PUBREL|2, 3, byte(id>>8), byte(id), code)
	}
	return append(b, PUBREL|2, 2, byte(id>>8), byte(id))
}

// AppendDisconnect encodes an MQTT 5 DISCONNECT; 3.1.1 servers send none (3.14).
func AppendDisconnect(b []byte, code byte) []byte { return append(b, DISCONNECT, 1, code) }

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func varintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	}
	return 4
}

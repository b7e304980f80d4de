package rawmqtt

import (
	"encoding/binary"
	"fmt"
)

// Connect says what a CONNECT asks for. Whatever it cannot say is sent as bytes.
type Connect struct {
	ID          string
	V5          bool
	Keep        bool   // not a clean session, not a clean start
	Keepalive   uint16 // seconds
	Props       []byte // MQTT 5, without their length
	Will        string // topic
	WillPayload string // "gone" if empty
	WillQoS     byte
	WillRetain  bool
	WillProps   []byte
	User        string // sent if not empty
	Password    string // sent if not empty
}

// Bytes is the packet.
func (o Connect) Bytes() []byte {
	flags, version := byte(0), byte(4)
	if !o.Keep {
		flags |= 2
	}
	if o.V5 {
		version = 5
	}
	if o.Will != "" {
		flags |= 4 | o.WillQoS<<3
		if o.WillRetain {
			flags |= 0x20
		}
	}
	if o.User != "" {
		flags |= 0x80
	}
	if o.Password != "" {
		flags |= 0x40
	}
	b := append(Text("MQTT"), version, flags, byte(o.Keepalive>>8), byte(o.Keepalive))
	if o.V5 {
		b = append(b, Props(o.Props)...)
	}
	b = append(b, Text(o.ID)...)
	if o.Will != "" {
		if o.V5 {
			b = append(b, Props(o.WillProps)...)
		}
		payload := o.WillPayload
		if payload == "" {
			payload = "gone"
		}
		b = append(append(b, Text(o.Will)...), Text(payload)...)
	}
	if o.User != "" {
		b = append(b, Text(o.User)...)
	}
	if o.Password != "" {
		b = append(b, Text(o.Password)...)
	}
	return Packet(0x10, b)
}

// Publish is a PUBLISH to send.
type Publish struct {
	Topic, Payload string
	QoS            byte
	ID             uint16
	Dup, Retain    bool
	Props          []byte // MQTT 5, without their length
}

// Bytes is the packet.
func (m Publish) Bytes(v5 bool) []byte {
	first := 0x30 | m.QoS<<1
	if m.Dup {
		first |= 8
	}
	if m.Retain {
		first |= 1
	}
	b := Text(m.Topic)
	if m.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, m.ID)
	}
	if v5 {
		b = append(b, Props(m.Props)...)
	}
	return Packet(first, append(b, m.Payload...))
}

// Subscribe is a SUBSCRIBE with one filter. options is the byte of MQTT 5 (3.8.3.1), of which 3.1.1 has the QoS.
func Subscribe(v5 bool, id uint16, filter string, options byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	if v5 {
		b = append(b, 0)
	}
	return Packet(0x82, append(append(b, Text(filter)...), options))
}

// Unsubscribe is an UNSUBSCRIBE with one filter.
func Unsubscribe(v5 bool, id uint16, filter string) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	if v5 {
		b = append(b, 0)
	}
	return Packet(0xA2, append(b, Text(filter)...))
}

// Ack is an acknowledgement with a packet identifier and nothing else. first is the packet's first byte.
func Ack(first byte, id uint16) []byte { return []byte{first, 2, byte(id >> 8), byte(id)} }

// Packet puts the fixed header before a body.
func Packet(first byte, body []byte) []byte {
	return append(append([]byte{first}, Varint(len(body))...), body...)
}

// Varint is a Variable Byte Integer.
func Varint(n int) []byte {
	return binary.AppendUvarint(nil, uint64(n)) // the same encoding (MQTT 5, 1.5.5)
}

// Text is a UTF-8 Encoded String, valid or not.
func Text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

// Props are properties with their length.
func Props(p []byte) []byte { return append(Varint(len(p)), p...) }

// U32 is a property with four bytes.
func U32(p byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{p}, n) }

// U16 is a property with two bytes.
func U16(p byte, n uint16) []byte { return binary.BigEndian.AppendUint16([]byte{p}, n) }

// U8 is a property with one byte.
func U8(p, n byte) []byte { return []byte{p, n} }

// Str is a property with a string, or with binary data.
func Str(p byte, s string) []byte { return append([]byte{p}, Text(s)...) }

// User is a User Property.
func User(key, value string) []byte {
	return append(append([]byte{0x26}, Text(key)...), Text(value)...)
}

// Frame is a packet that came.
type Frame struct {
	Kind byte // first byte, of PUBLISH without its flags
	Bits byte // those
	Body []byte
	V5   bool
}

// ID is the packet identifier of an acknowledgement.
func (f Frame) ID() uint16 { return binary.BigEndian.Uint16(f.Body) }

// Code is the reason code of PUBACK, PUBREC, PUBREL and PUBCOMP.
func (f Frame) Code() byte {
	if len(f.Body) > 2 {
		return f.Body[2]
	}
	return 0
}

func (f Frame) String() string { return fmt.Sprintf("%02X %X", f.Kind|f.Bits, f.Body) }

// Message is a PUBLISH that came.
type Message struct {
	Topic, Payload string
	QoS            byte
	ID             uint16
	Dup, Retain    bool
	Props          string // without their length
}

// Message takes a PUBLISH apart; ok is false if the frame is something else.
func (f Frame) Message() (m Message, ok bool) {
	if f.Kind != 0x30 {
		return m, false
	}
	m.Dup, m.QoS, m.Retain = f.Bits&8 != 0, f.Bits>>1&3, f.Bits&1 != 0
	n := int(f.ID())
	m.Topic = string(f.Body[2 : 2+n])
	b := f.Body[2+n:]
	if m.QoS > 0 {
		m.ID, b = binary.BigEndian.Uint16(b), b[2:]
	}
	if f.V5 {
		n, k := binary.Uvarint(b)
		m.Props, b = string(b[k:k+int(n)]), b[k+int(n):]
	}
	m.Payload = string(b)
	return m, true
}

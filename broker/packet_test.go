package broker

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// opts of a CONNECT.
type opts struct {
	id         string
	v5         bool
	keep       bool   // not a clean session, not a clean start
	keepalive  uint16 // seconds
	props      []byte // MQTT 5, without their length
	will       string // topic; the payload is "gone"
	willQoS    byte
	willRetain bool
	willProps  []byte
	user       string
	password   string
}

func connectPacket(o opts) []byte {
	flags, version := byte(0), byte(4)
	if !o.keep {
		flags |= 2
	}
	if o.v5 {
		version = 5
	}
	if o.will != "" {
		flags |= 4 | o.willQoS<<3
		if o.willRetain {
			flags |= 0x20
		}
	}
	if o.user != "" {
		flags |= 0x80
	}
	if o.password != "" {
		flags |= 0x40
	}
	b := append(text("MQTT"), version, flags, byte(o.keepalive>>8), byte(o.keepalive))
	if o.v5 {
		b = append(b, props(o.props)...)
	}
	b = append(b, text(o.id)...)
	if o.will != "" {
		if o.v5 {
			b = append(b, props(o.willProps)...)
		}
		b = append(append(b, text(o.will)...), text("gone")...)
	}
	if o.user != "" {
		b = append(b, text(o.user)...)
	}
	if o.password != "" {
		b = append(b, text(o.password)...)
	}
	return packet(0x10, b)
}

func packet(first byte, body []byte) []byte {
	return append(append([]byte{first}, varint(len(body))...), body...)
}

func varint(n int) []byte {
	return binary.AppendUvarint(nil, uint64(n)) // the same encoding (MQTT 5, 1.5.5)
}

func text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

func props(p []byte) []byte { return append(varint(len(p)), p...) }

func u32(p byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{p}, n) }

func u16(p byte, n uint16) []byte { return binary.BigEndian.AppendUint16([]byte{p}, n) }

// p is a PUBLISH to send.
type p struct {
	topic, payload string
	qos            byte
	id             uint16
	dup, retain    bool
	props          []byte
}

func (w *peer) publishPacket(m p) []byte {
	first := 0x30 | m.qos<<1
	if m.dup {
		first |= 8
	}
	if m.retain {
		first |= 1
	}
	b := text(m.topic)
	if m.qos > 0 {
		b = binary.BigEndian.AppendUint16(b, m.id)
	}
	if w.v5 {
		b = append(b, props(m.props)...)
	}
	return packet(first, append(b, m.payload...))
}

func (w *peer) subscribePacket(id uint16, filter string, options byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	if w.v5 {
		b = append(b, 0)
	}
	return packet(0x82, append(append(b, text(filter)...), options))
}

// frame is a packet that came.
type frame struct {
	kind byte // first byte without the flags of PUBLISH
	bits byte // those
	body []byte
	v5   bool
}

func (f frame) id() uint16 { return binary.BigEndian.Uint16(f.body) }

// code is the reason code of an acknowledgement.
func (f frame) code() byte {
	if len(f.body) > 2 {
		return f.body[2]
	}
	return 0
}

func (f frame) String() string { return fmt.Sprintf("%02X %X", f.kind|f.bits, f.body) }

// got is a PUBLISH that came.
type got struct {
	topic, payload string
	qos            byte
	id             uint16
	dup, retain    bool
	props          string
}

func (f frame) publish(t testing.TB) (g got) {
	t.Helper()
	if f.kind != 0x30 {
		t.Fatalf("want PUBLISH, have %v", f)
	}
	g.dup, g.qos, g.retain = f.bits&8 != 0, f.bits>>1&3, f.bits&1 != 0
	n := int(f.id())
	g.topic = string(f.body[2 : 2+n])
	b := f.body[2+n:]
	if g.qos > 0 {
		g.id, b = binary.BigEndian.Uint16(b), b[2:]
	}
	if f.v5 {
		n, k := binary.Uvarint(b)
		g.props, b = string(b[k:k+int(n)]), b[k+int(n):]
	}
	g.payload = string(b)
	return g
}

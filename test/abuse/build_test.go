package abuse

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"edged/test/rawmqtt"
)

// The cases are written with these.

// both makes a case for each version of the protocol from one description.
func both(c bad, body func(v5 bool) [][]byte) []bad {
	var out []bad
	for _, v5 := range []bool{false, true} {
		c := c
		c.v5, c.name = v5, version(v5)+" "+c.name
		c.tries = body(v5)
		out = append(out, c)
	}
	return out
}

// same is both with the same bytes.
func same(c bad, tries ...[]byte) []bad {
	return both(c, func(bool) [][]byte { return tries })
}

// one is a case of one version.
func one(v5 bool, c bad, tries ...[]byte) []bad {
	c.v5, c.name, c.tries = v5, version(v5)+" "+c.name, tries
	return []bad{c}
}

func version(v5 bool) string {
	if v5 {
		return "v5"
	}
	return "v3"
}

// cat joins bytes, strings as they are, numbers as one byte.
func cat(parts ...any) (out []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case []byte:
			out = append(out, p...)
		case string:
			out = append(out, p...)
		case int:
			out = append(out, byte(p))
		}
	}
	return out
}

// pack is a packet of such parts.
func pack(first byte, parts ...any) []byte { return rawmqtt.Packet(first, cat(parts...)) }

// text is a string with its length, props are properties with theirs, none are no properties where the version has them.
func text(s string) []byte { return rawmqtt.Text(s) }

func props(p ...[]byte) []byte { return rawmqtt.Props(slices.Concat(p...)) }

func none(v5 bool) []byte {
	if v5 {
		return []byte{0}
	}
	return nil
}

func id(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

func times(n int, b ...byte) []byte { return bytes.Repeat(b, n) }

func deep(level string, n int) string { return strings.Repeat(level+"/", n) + level }

// header is what stands in a CONNECT before its properties.
func header(level, flags byte) []byte { return cat(text("MQTT"), []byte{level, flags}, 0, 0) }

// hello is a valid CONNECT that has everything, for cutting and bending.
func hello(v5 bool) []byte {
	o := rawmqtt.Connect{ID: "bad", V5: v5, Keepalive: 60, Will: "site/will", WillQoS: 1, User: "u", Password: "p"}
	if v5 {
		o.Props = slices.Concat(rawmqtt.U32(0x11, 0), rawmqtt.U16(0x21, 10), rawmqtt.U32(0x27, 1000), rawmqtt.U16(0x22, 3), rawmqtt.U8(0x17, 1), rawmqtt.User("k", "v"))
		o.WillProps = slices.Concat(rawmqtt.U8(1, 1), rawmqtt.U32(2, 9), rawmqtt.Str(3, "t"), rawmqtt.Str(8, "site/r"), rawmqtt.Str(9, "c"), rawmqtt.User("k", "v"))
	}
	return o.Bytes()
}

// sample is a valid packet of each kind that a client may send after CONNECT.
type sample struct {
	name  string
	bytes []byte
	valid []int // lengths of a body cut short that are valid
}

func samples(v5 bool) []sample {
	var p, r, u, e []byte // properties of PUBLISH, of acknowledgements, of SUBSCRIBE, of DISCONNECT
	var full, acks []int
	if v5 {
		p = props(rawmqtt.U8(1, 1), rawmqtt.U32(2, 60), rawmqtt.Str(3, "text"), rawmqtt.Str(8, "site/r"), rawmqtt.Str(9, "corr"), rawmqtt.User("k", "v"))
		r = cat(0, props(rawmqtt.Str(0x1F, "why"), rawmqtt.User("k", "v")))
		u = props(cat(0x0B, 7), rawmqtt.User("k", "v"))
		e = cat(0, props(rawmqtt.Str(0x1F, "why"), rawmqtt.User("k", "v")))
		acks = []int{2, 3}
	}
	publish := func(qos byte) sample {
		head := text("site/x")
		if qos > 0 {
			head = append(head, id(9)...)
		}
		head = append(head, p...)
		for n := range 4 {
			full = append(full, len(head)+n)
		}
		return sample{"PUBLISH QoS " + string('0'+rune(qos)), pack(0x30|qos<<1, head, "abcd"), full[len(full)-4:]}
	}
	filters := cat(id(9), u, text("a"), 0)
	gone := cat(id(9), u, text("a"))
	if !v5 {
		filters, gone = cat(id(9), text("a"), 0), cat(id(9), text("a"))
	}
	out := []sample{publish(0), publish(1), publish(2),
		{"PUBACK", pack(0x40, id(9), r), acks}, {"PUBREC", pack(0x50, id(9), r), acks},
		{"PUBREL", pack(0x62, id(9), r), acks}, {"PUBCOMP", pack(0x70, id(9), r), acks},
		{"SUBSCRIBE", pack(0x82, filters, text("b/c"), 1), []int{len(filters)}},
		{"UNSUBSCRIBE", pack(0xA2, gone, text("b/c")), []int{len(gone)}},
		{"PINGREQ", []byte{0xC0, 0}, nil}, {"DISCONNECT", pack(0xE0, e), []int{0, 1}}}
	if v5 {
		out = append(out, sample{"AUTH", pack(0xF0, 0x19, props(rawmqtt.Str(0x15, "m"), rawmqtt.Str(0x16, "d"))), nil})
	}
	return out
}

// body is a packet without its fixed header.
func body(packet []byte) []byte {
	_, n := binary.Uvarint(packet[1:])
	return packet[1+n:]
}

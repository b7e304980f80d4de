package abuse

import (
	"fmt"
	"slices"

	"edged/test/rawmqtt"
)

type kind int

const (
	aByte kind = iota
	aShort
	anInt
	aNumber // Variable Byte Integer
	aText
	aBinary
	aPair
)

// property is a line of MQTT 5, 2.2.2.2, of the packets that clients send.
type property struct {
	id   byte
	name string
	kind kind
	in   []string
}

var properties = []property{
	{0x01, "payload format", aByte, []string{"PUBLISH", "will"}},
	{0x02, "message expiry", anInt, []string{"PUBLISH", "will"}},
	{0x03, "content type", aText, []string{"PUBLISH", "will"}},
	{0x08, "response topic", aText, []string{"PUBLISH", "will"}},
	{0x09, "correlation data", aBinary, []string{"PUBLISH", "will"}},
	{0x0B, "subscription identifier", aNumber, []string{"SUBSCRIBE"}}, // a client's PUBLISH must not [MQTT-3.3.4-6]
	{0x11, "session expiry", anInt, []string{"CONNECT", "DISCONNECT"}},
	{0x12, "assigned client identifier", aText, nil},
	{0x13, "server keepalive", aShort, nil},
	{0x15, "authentication method", aText, []string{"CONNECT", "AUTH"}},
	{0x16, "authentication data", aBinary, []string{"CONNECT", "AUTH"}},
	{0x17, "request problem information", aByte, []string{"CONNECT"}},
	{0x18, "will delay", anInt, []string{"will"}},
	{0x19, "request response information", aByte, []string{"CONNECT"}},
	{0x1A, "response information", aText, nil},
	{0x1C, "server reference", aText, nil},
	{0x1F, "reason string", aText, []string{"PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "DISCONNECT", "AUTH"}},
	{0x21, "receive maximum", aShort, []string{"CONNECT"}},
	{0x22, "topic alias maximum", aShort, []string{"CONNECT"}},
	{0x23, "topic alias", aShort, []string{"PUBLISH"}},
	{0x24, "maximum QoS", aByte, nil},
	{0x25, "retain available", aByte, nil},
	{0x26, "user property", aPair, []string{"CONNECT", "will", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "UNSUBSCRIBE", "DISCONNECT", "AUTH"}},
	{0x27, "maximum packet size", anInt, []string{"CONNECT"}},
	{0x28, "wildcard subscription available", aByte, nil},
	{0x29, "subscription identifier available", aByte, nil},
	{0x2A, "shared subscription available", aByte, nil},
}

// bytes is the property with a value that is right wherever the property is.
func (p property) bytes() []byte {
	switch p.kind {
	case aByte:
		return rawmqtt.U8(p.id, 1)
	case aShort:
		return rawmqtt.U16(p.id, 1)
	case anInt:
		return rawmqtt.U32(p.id, 1000)
	case aNumber:
		return []byte{p.id, 5}
	case aPair:
		return rawmqtt.User("k", "v")
	}
	return rawmqtt.Str(p.id, "site/x")
}

// place is a packet that carries properties.
type place struct {
	name   string
	first  bool
	free   bool
	codes  string
	packet func(props []byte) []byte
}

func packetsWithProperties() []place {
	at := func(first byte, before, after []byte) func([]byte) []byte {
		return func(p []byte) []byte { return pack(first, before, rawmqtt.Props(p), after) }
	}
	return []place{
		{"CONNECT", true, false, "\x8C", at(0x10, header(5, 2), text("bad"))},
		{"will", true, false, "\x90\x99", func(p []byte) []byte {
			return rawmqtt.Connect{V5: true, ID: "bad", Will: "site/x", WillProps: p}.Bytes()
		}},
		{"PUBLISH", false, false, "\x90\x94\x99", at(0x30, text("site/x"), []byte("x"))},
		{"PUBACK", false, false, "", at(0x40, cat(id(1), 0), nil)},
		{"PUBREC", false, false, "", at(0x50, cat(id(1), 0), nil)},
		{"PUBREL", false, false, "", at(0x62, cat(id(1), 0), nil)},
		{"PUBCOMP", false, false, "", at(0x70, cat(id(1), 0), nil)},
		{"SUBSCRIBE", false, false, "\xA1", at(0x82, id(1), cat(text("site/x"), 1))},
		{"UNSUBSCRIBE", false, false, "", at(0xA2, id(1), text("site/x"))},
		{"DISCONNECT", false, true, "", at(0xE0, []byte{0}, nil)},
		{"AUTH", false, false, "\x8C", at(0xF0, []byte{0x18}, nil)},
	}
}

// propertyCases put each property where it must not be, twice where it may be once, and cut short or too large.
func propertyCases() (out []bad) {
	for _, p := range packetsWithProperties() {
		wrong := bad{name: p.name + ": properties of other packets", first: p.first, free: p.free, codes: p.codes}
		twice := bad{name: p.name + ": properties twice", first: p.first, free: p.free, codes: p.codes}
		short := bad{name: p.name + ": properties without the end of their value", first: p.first, free: p.free, codes: p.codes}
		add := func(b *bad, hint string, props []byte) {
			b.tries, b.hint = append(b.tries, p.packet(props)), append(b.hint, hint)
		}
		for _, prop := range properties {
			v := prop.bytes()
			if !slices.Contains(prop.in, p.name) {
				add(&wrong, prop.name, v)
				continue
			}
			if prop.kind != aPair {
				add(&twice, prop.name, cat(v, v))
			}
			for n := 1; n < len(v); n++ {
				add(&short, fmt.Sprintf("%s cut to %d bytes", prop.name, n), v[:n])
			}
		}
		unknown := bad{name: p.name + ": properties that do not exist", first: p.first, free: p.free, codes: p.codes}
		for n := range byte(128) {
			if !slices.ContainsFunc(properties, func(q property) bool { return q.id == n }) {
				add(&unknown, fmt.Sprintf("property %02X", n), cat(int(n), 0, 1, 'x'))
			}
		}
		out = append(out, one(true, wrong, wrong.tries...)...)
		if len(twice.tries) > 0 {
			out = append(out, one(true, twice, twice.tries...)...)
		}
		out = append(out, one(true, short, short.tries...)...)
		out = append(out, one(true, unknown, unknown.tries...)...)
	}
	value := func(name string, p ...[]byte) {
		b := bad{name: "CONNECT: " + name, first: true}
		for _, v := range p {
			b.tries = append(b.tries, rawmqtt.Connect{V5: true, ID: "bad", Props: v}.Bytes())
		}
		out = append(out, one(true, b, b.tries...)...)
	}
	value("receive maximum 0", rawmqtt.U16(0x21, 0))
	value("maximum packet size 0", rawmqtt.U32(0x27, 0))
	value("request problem information 2", rawmqtt.U8(0x17, 2), rawmqtt.U8(0x17, 255))
	value("request response information 2", rawmqtt.U8(0x19, 2), rawmqtt.U8(0x19, 255))
	value("properties twice, far apart", cat(rawmqtt.U16(0x21, 9), times2(rawmqtt.User("k", "v"), 100), rawmqtt.U16(0x21, 9)))
	value("property identifier of two bytes", []byte{0xA1, 0, 0, 9}, []byte{0x80, 1, 9})
	raw := func(name string, length ...byte) {
		out = append(out, one(true, bad{name: "CONNECT: " + name, first: true}, pack(0x10, header(5, 2), length, text("bad")))...)
	}
	raw("properties longer than the packet", 0x7F)
	raw("properties of 256 MB", 0xFF, 0xFF, 0xFF, 0x7F)
	raw("properties length of five bytes", 0x80, 0x80, 0x80, 0x80, 0)
	raw("properties length longer than needed", 0x80, 0)
	raw("properties that reach into the client identifier", 2)
	return out
}

package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"edged/test/rawmqtt"
)

// packetOf has the client's packet decoded that b begins with, as a connection of the version does.
func decode(b []byte, v5 bool) error {
	f, size, err := Next(b, 1<<20)
	if err != nil {
		return err
	}
	if size == 0 || size > len(b) {
		return errIncomplete
	}
	switch f.Type() {
	case CONNECT:
		_, err = DecodeConnect(f.Body)
	case PUBLISH:
		err = new(Publish).Decode(f, v5)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		_, _, err = DecodeAck(f, v5)
	case SUBSCRIBE:
		_, err = DecodeSubscribe(f.Body, v5)
	case UNSUBSCRIBE:
		_, _, err = DecodeUnsubscribe(f.Body, v5)
	case DISCONNECT:
		_, err = DecodeDisconnect(f.Body, v5)
	}
	return err
}

var errIncomplete = errors.New("bytes are missing")

func connect(version, flags byte, keepalive uint16, rest ...[]byte) []byte {
	b := append(rawmqtt.Text("MQTT"), version, flags, byte(keepalive>>8), byte(keepalive))
	return rawmqtt.Packet(0x10, append(b, slices.Concat(rest...)...))
}

func subscribe(v5 bool, props []byte, filters ...[]byte) []byte {
	b := []byte{0, 1}
	if v5 {
		b = append(b, rawmqtt.Props(props)...)
	}
	return rawmqtt.Packet(0x82, append(b, slices.Concat(filters...)...))
}

func filter(name string, options byte) []byte { return append(rawmqtt.Text(name), options) }

func TestWhatIsWrongWithinAPacket(t *testing.T) {
	none, text := []byte{0}, rawmqtt.Text
	twice := func(p []byte) []byte { return append(slices.Clone(p), p...) }
	v5props := func(p []byte) []byte { return connect(5, 2, 0, rawmqtt.Props(p), text("c")) }
	pub5 := func(p []byte) []byte {
		return rawmqtt.Packet(0x30, slices.Concat(text("a"), rawmqtt.Props(p), []byte("x")))
	}
	for _, c := range []struct {
		name string
		b    []byte
		v5   bool
		code byte
	}{
		{"the reserved type 0", []byte{0, 0}, false, Malformed},
		{"a CONNACK from a client", []byte{0x20, 2, 0, 0}, true, ProtocolError},
		{"a PINGRESP from a client", []byte{0xD0, 0}, true, ProtocolError},
		{"flags of SUBSCRIBE", rawmqtt.Packet(0x80, []byte{0, 1}), false, Malformed},
		{"flags of PUBREL", []byte{0x60, 2, 0, 1}, false, Malformed},
		{"flags of PINGREQ", []byte{0xC1, 0}, false, Malformed},
		{"QoS 3", rawmqtt.Packet(0x36, append(text("a"), 0, 1)), false, Malformed},
		{"DUP with QoS 0", rawmqtt.Packet(0x38, text("a")), false, Malformed},
		{"a length of five bytes", []byte{0x30, 0x80, 0x80, 0x80, 0x80, 1}, false, Malformed},
		{"a length in more bytes than needed", []byte{0xC0, 0x80, 0}, false, Malformed},
		{"an announcement of 256 MB", []byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, false, PacketTooLarge},

		{"the reserved flag", connect(4, 3, 0, text("c")), false, Malformed},
		{"will QoS without will", connect(4, 2|8, 0, text("c")), false, Malformed},
		{"will RETAIN without will", connect(4, 2|0x20, 0, text("c")), false, Malformed},
		{"will QoS 3", connect(4, 2|4|0x18, 0, text("c"), text("w"), text("m")), false, Malformed},
		{"a password without a user name", connect(4, 2|0x40, 0, text("c"), text("p")), false, Malformed},
		{"level 3", connect(3, 2, 0, text("c")), false, UnsupportedVersion},
		{"level 6", connect(6, 2, 0, none, text("c")), false, UnsupportedVersion},
		{"another protocol", rawmqtt.Packet(0x10, append(text("HTTP"), 4, 2, 0, 0, 0, 0)), false, UnsupportedVersion},
		{"bytes behind CONNECT", connect(4, 2, 0, text("c"), none), false, Malformed},
		{"a client id that is not UTF-8", connect(4, 2, 0, text("\xff")), false, Malformed},
		{"a client id with NUL", connect(4, 2, 0, text("a\x00b")), false, Malformed},
		{"a surrogate", connect(4, 2, 0, text("\xed\xa0\x80")), false, Malformed},
		{"an overlong encoding", connect(4, 2, 0, text("\xc0\xaf")), false, Malformed},
		{"a will topic that is not UTF-8", connect(4, 2|4, 0, text("c"), text("\xff"), text("m")), false, Malformed},
		{"a will cut short", connect(4, 2|4, 0, text("c"), text("w")), false, Malformed},
		{"Receive Maximum 0", v5props(rawmqtt.U16(0x21, 0)), true, ProtocolError},
		{"Receive Maximum twice", v5props(twice(rawmqtt.U16(0x21, 9))), true, ProtocolError},
		{"Maximum Packet Size 0", v5props(rawmqtt.U32(0x27, 0)), true, ProtocolError},
		{"Session Expiry twice", v5props(twice(rawmqtt.U32(0x11, 9))), true, ProtocolError},
		{"Request Problem Information 2", v5props(rawmqtt.U8(0x17, 2)), true, ProtocolError},
		{"Authentication Data without a method", v5props(rawmqtt.Str(0x16, "x")), true, ProtocolError},
		{"a Topic Alias in CONNECT", v5props(rawmqtt.U16(0x23, 1)), true, ProtocolError},
		{"an unknown property", v5props([]byte{0x7F, 0}), true, Malformed},
		{"a property beyond the 64th", v5props([]byte{0xC0, 0}), true, Malformed},
		{"a property cut short", v5props([]byte{0x11, 0, 0}), true, Malformed},
		{"properties longer than the packet", connect(5, 2, 0, []byte{9}, text("c")), true, Malformed},
		{"will delay in CONNECT", v5props(rawmqtt.U32(0x18, 1)), true, ProtocolError},

		{"no topic", rawmqtt.Packet(0x30, text("")), false, ProtocolError},
		{"packet identifier 0", rawmqtt.Packet(0x32, append(text("a"), 0, 0)), false, ProtocolError},
		{"no packet identifier", rawmqtt.Packet(0x32, text("a")), false, Malformed},
		{"a topic cut short", rawmqtt.Packet(0x30, []byte{0, 9, 'a'}), false, Malformed},
		{"a Subscription Identifier in PUBLISH", pub5([]byte{0x0B, 1}), true, ProtocolError},
		{"a Topic Alias twice", pub5(twice(rawmqtt.U16(0x23, 1))), true, ProtocolError},
		{"a Response Topic with +", pub5(rawmqtt.Str(8, "a/+")), true, ProtocolError},
		{"a Response Topic with #", pub5(rawmqtt.Str(8, "#")), true, ProtocolError},
		{"an empty Response Topic", pub5(rawmqtt.Str(8, "")), true, ProtocolError},
		{"a Payload Format 2", pub5(rawmqtt.U8(1, 2)), true, ProtocolError},
		{"a Content Type that is not UTF-8", pub5(rawmqtt.Str(3, "\xff")), true, Malformed},
		{"a User Property that is not UTF-8", pub5(rawmqtt.User("k", "\xff")), true, Malformed},
		{"a User Property cut short", pub5([]byte{0x26, 0, 1, 'k', 0}), true, Malformed},
		{"Message Expiry twice", pub5(twice(rawmqtt.U32(2, 1))), true, ProtocolError},
		{"properties longer than the PUBLISH", rawmqtt.Packet(0x30, append(text("a"), 99)), true, Malformed},

		{"PUBACK 0", []byte{0x40, 2, 0, 0}, false, ProtocolError},
		{"PUBACK of one byte", []byte{0x40, 1, 0}, false, Malformed},
		{"PUBACK with a code in 3.1.1", []byte{0x40, 3, 0, 1, 0}, false, Malformed},
		{"PUBACK with an unknown code", []byte{0x40, 3, 0, 1, 0x42}, true, Malformed},
		{"PUBREL with a code of PUBACK", []byte{0x62, 3, 0, 1, 0x97}, true, Malformed},
		{"PUBACK with a foreign property", rawmqtt.Packet(0x40, append([]byte{0, 1, 0}, rawmqtt.Props(rawmqtt.U32(2, 1))...)), true, ProtocolError},
		{"PUBACK with bytes behind", rawmqtt.Packet(0x40, []byte{0, 1, 0, 0, 0}), true, Malformed},

		{"SUBSCRIBE without filters", subscribe(false, nil), false, ProtocolError},
		{"SUBSCRIBE without options", subscribe(true, nil, text("a")), true, Malformed},
		{"SUBSCRIBE with QoS 3", subscribe(false, nil, filter("a", 3)), false, Malformed},
		{"reserved bits in 3.1.1", subscribe(false, nil, filter("a", 4)), false, Malformed},
		{"reserved bits in 5", subscribe(true, nil, filter("a", 0x40)), true, Malformed},
		{"Retain Handling 3", subscribe(true, nil, filter("a", 0x30)), true, ProtocolError},
		{"Subscription Identifier 0", subscribe(true, []byte{0x0B, 0}, filter("a", 0)), true, ProtocolError},
		{"Subscription Identifier twice", subscribe(true, []byte{0x0B, 1, 0x0B, 2}, filter("a", 0)), true, ProtocolError},
		{"Subscription Identifier in five bytes", subscribe(true, []byte{0x0B, 0x80, 0x80, 0x80, 0x80, 1}, filter("a", 0)), true, Malformed},
		{"an empty filter", subscribe(false, nil, filter("", 0)), false, Malformed},
		{"a filter that is not UTF-8", subscribe(false, nil, filter("\xff", 0)), false, Malformed},
		{"SUBSCRIBE 0", rawmqtt.Packet(0x82, append([]byte{0, 0}, filter("a", 0)...)), false, ProtocolError},
		{"UNSUBSCRIBE without filters", rawmqtt.Packet(0xA2, []byte{0, 1}), false, ProtocolError},
		{"UNSUBSCRIBE with a Subscription Identifier", rawmqtt.Packet(0xA2, slices.Concat([]byte{0, 1}, rawmqtt.Props([]byte{0x0B, 1}), text("a"))), true, ProtocolError},

		{"DISCONNECT with something in 3.1.1", []byte{0xE0, 1, 0}, false, Malformed},
		{"DISCONNECT with a server's code", []byte{0xE0, 1, 0x8E}, true, Malformed},
		{"DISCONNECT with a Server Reference", rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(rawmqtt.Str(0x1C, "x"))...)), true, Malformed},
		{"DISCONNECT with Session Expiry twice", rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(twice(rawmqtt.U32(0x11, 1)))...)), true, ProtocolError},
	} {
		var e *Error
		if err := decode(c.b, c.v5); !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want code %02X", c.name, err, c.code)
		} else if e.Why == "" || strings.HasSuffix(e.Why, ".") {
			t.Errorf("%s: the log would say %q", c.name, e.Why)
		}
	}
}

// Whatever a valid packet is cut to, it is either incomplete or wrong, and never taken for a whole one.
func TestNoPartOfAPacketIsAPacket(t *testing.T) {
	for name, b := range valid() {
		v5 := strings.HasSuffix(name, "5")
		if err := decode(b, v5); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range len(b) {
			if err := decode(b[:n], v5); !errors.Is(err, errIncomplete) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
		body := b[2:]
		if name[:3] == "pub" && name[:4] != "puba" { // what is missing at the end of a PUBLISH is missing payload
			continue
		}
		for n := range len(body) {
			cut := rawmqtt.Packet(b[0], body[:n])
			if err := decode(cut, v5); err == nil && !mayBeCut(name, n) {
				t.Errorf("%s of %d bytes is taken", name, n)
			}
		}
	}
}

// mayBeCut reports whether n bytes are a shorter packet: codes and properties at the end may be left out.
func mayBeCut(name string, n int) bool {
	switch name {
	case "puback 5":
		return n == 2 || n == 3
	case "disconnect 5":
		return n == 0 || n == 1
	case "subscribe 4":
		return n == 6
	case "subscribe 5":
		return n == 10
	case "unsubscribe 5":
		return n == 6
	}
	return false
}

// valid are packets of less than 128 bytes with everything that they can have, but one or the other property.
func valid() map[string][]byte {
	text, user := rawmqtt.Text, rawmqtt.User("k", "v")
	message := slices.Concat(rawmqtt.U8(1, 1), rawmqtt.U32(2, 60), rawmqtt.Str(3, "t"), rawmqtt.Str(8, "r"), rawmqtt.Str(9, "d"), user, user)
	return map[string][]byte{
		"connect 4": connect(4, 0xEE, 60, text("c"), text("w"), text("m"), text("u"), text("p")),
		"connect 5": connect(5, 0xEE, 60, rawmqtt.Props(slices.Concat(rawmqtt.U32(0x11, 9), rawmqtt.U16(0x21, 9), rawmqtt.U32(0x27, 999), rawmqtt.U16(0x22, 9), rawmqtt.U8(0x17, 1), user)),
			text("c"), rawmqtt.Props(append(rawmqtt.U32(0x18, 5), message...)), text("w"), text("m"), text("u"), text("p")),
		"publish 4":     rawmqtt.Packet(0x3D, slices.Concat(text("a/b"), []byte{0, 7}, []byte("payload"))),
		"publish 5":     rawmqtt.Packet(0x3B, slices.Concat(text("a/b"), []byte{0, 7}, rawmqtt.Props(append(message, rawmqtt.U16(0x23, 3)...)), []byte("payload"))),
		"puback 4":      []byte{0x40, 2, 0, 1},
		"puback 5":      rawmqtt.Packet(0x40, append([]byte{0, 1, 0x10}, rawmqtt.Props(append(rawmqtt.Str(0x1F, "why"), user...))...)),
		"subscribe 4":   subscribe(false, nil, filter("a", 1), filter("b", 2)),
		"subscribe 5":   subscribe(true, []byte{0x0B, 0x80, 1}, filter("a", 0x2E), filter("b", 2)),
		"unsubscribe 5": rawmqtt.Packet(0xA2, slices.Concat([]byte{0, 1}, []byte{0}, text("a"), text("b"))),
		"disconnect 4":  {0xE0, 0},
		"disconnect 5":  rawmqtt.Packet(0xE0, append([]byte{4}, rawmqtt.Props(slices.Concat(rawmqtt.U32(0x11, 9), rawmqtt.Str(0x1F, "bye"), user))...)),
	}
}

package abuse

import (
	"strings"

	"edged/test/rawmqtt"
)

// connectCases are faults in a CONNECT itself.
func connectCases() (out []bad) {
	add := func(v5 bool, name string, w want, codes string, tries ...[]byte) {
		out = append(out, one(v5, bad{name: "CONNECT: " + name, first: true, want: w, codes: codes}, tries...)...)
	}
	all := func(name string, w want, codes string, body func(v5 bool, level byte) []byte) {
		for _, v5 := range []bool{false, true} {
			level := byte(4)
			if v5 {
				level = 5
			}
			add(v5, name, w, codes, pack(0x10, body(v5, level)))
		}
	}
	name := func(s string) func(bool, byte) []byte {
		return func(v5 bool, level byte) []byte { return cat(text(s), []byte{level, 2}, 0, 0, none(v5), text("bad")) }
	}
	all("protocol name in small letters", ends, "\x84", name("mqtt"))
	all("protocol name of version 3.1 with a later level", ends, "\x84\x01", name("MQIsdp"))
	all("protocol name with NUL", ends, "\x84", name("MQT\x00"))
	all("protocol name empty", ends, "\x84", name(""))
	all("protocol name with one letter more", ends, "\x84", name("MQTTT"))
	all("protocol name of 60,000 bytes", ends, "\x84", name(strings.Repeat("M", 60000)))
	all("protocol name longer than the packet", ends, "\x84", func(_ bool, level byte) []byte { return cat(0xFF, 0xFF, "MQTT", []byte{level, 2}, 0, 0) })
	for _, level := range []int{0, 1, 2, 3, 6, 7, 0x7F, 0xFF} {
		add(false, "protocol level "+strings.ToUpper(string("0123456789abcdef"[level>>4])+string("0123456789abcdef"[level&15])), ends, "\x84\x01", pack(0x10, header(byte(level), 2), text("bad")))
	}
	add(false, "protocol levels of bridges", either, "", pack(0x10, header(0x84, 2), text("bad")), pack(0x10, text("MQIsdp"), 0x83, 2, 0, 0, text("bad")))
	add(false, "version 3.1", either, "", pack(0x10, text("MQIsdp"), 3, 2, 0, 0, text("bad")))

	flags := func(f byte, rest ...any) func(bool, byte) []byte {
		return func(v5 bool, level byte) []byte { return cat(header(level, f), none(v5), text("bad"), cat(rest...)) }
	}
	all("reserved flag", ends, "", flags(3))
	all("QoS of a will that is not there", ends, "", flags(0x0A))
	all("QoS 2 of a will that is not there", ends, "", flags(0x12))
	all("retain of a will that is not there", ends, "", flags(0x22))
	all("everything of a will that is not there", ends, "", flags(0x3A))
	add(false, "password without a user", ends, "", pack(0x10, header(4, 0x42), text("bad"), text("p")))
	add(true, "password without a user", stays, "", pack(0x10, header(5, 0x42), 0, text("bad"), text("p")))
	all("user announced and not there", ends, "", flags(0x82))
	all("password announced and not there", ends, "", flags(0xC2, text("u")))
	all("user and password and only half of them", ends, "", flags(0xC2, text("u"), 0, 9, "p"))
	all("will announced and not there", ends, "", flags(0x06))
	all("all flags and no payload", ends, "", func(v5 bool, level byte) []byte { return cat(header(level, 0xFE), none(v5)) })
	all("no client identifier field", ends, "", func(v5 bool, level byte) []byte { return cat(header(level, 2), none(v5)) })
	all("client identifier longer than the packet", ends, "", func(v5 bool, level byte) []byte { return cat(header(level, 2), none(v5), 0xFF, 0xFF, "bad") })
	all("bytes after the payload", ends, "", flags(2, "more"))
	all("another string after the payload", ends, "", flags(2, text("u")))
	all("a whole packet after the payload", ends, "", flags(2, hello(false)))
	all("empty user and password", either, "", flags(0xC2, text(""), text("")))
	all("user of 65,535 bytes", either, "", flags(0x82, text(strings.Repeat("u", 65535))))
	all("password of 65,535 bytes", either, "", flags(0xC2, text("u"), text(strings.Repeat("\x00", 65535))))
	all("client identifier of 65,535 bytes", either, "", func(v5 bool, level byte) []byte {
		return cat(header(level, 2), none(v5), text(strings.Repeat("i", 65535)))
	})
	all("client identifier that looks like topics, paths and queries", either, "", func(v5 bool, level byte) []byte {
		return cat(header(level, 2), none(v5), text("../../$share/#/+/'; DROP TABLE x;--%s%n\n"))
	})
	all("client identifier in other scripts", stays, "", func(v5 bool, level byte) []byte {
		return cat(header(level, 2), none(v5), text("مرحبا-温度-🌡-\uFEFF"))
	})
	add(false, "no client identifier and no clean session", ends, "\x02\x85", rawmqtt.Connect{Keep: true}.Bytes()) // [MQTT-3.1.3-8]
	add(true, "no client identifier and no clean start", stays, "", rawmqtt.Connect{Keep: true, V5: true}.Bytes())
	add(false, "no client identifier", stays, "", rawmqtt.Connect{}.Bytes())
	add(true, "authentication method that nobody knows", ends, "\x8C\x80\x87", rawmqtt.Connect{V5: true, Props: rawmqtt.Str(0x15, "SCRAM-SHA-1")}.Bytes(),
		rawmqtt.Connect{V5: true, Props: cat(rawmqtt.Str(0x15, "x"), rawmqtt.Str(0x16, "data"))}.Bytes())
	add(true, "authentication data without a method", ends, "", rawmqtt.Connect{V5: true, Props: rawmqtt.Str(0x16, "data")}.Bytes())
	add(true, "a thousand user properties", stays, "", rawmqtt.Connect{V5: true, Props: times2(rawmqtt.User("k", "v"), 1000)}.Bytes())
	add(true, "user properties of 200 KB", either, "", rawmqtt.Connect{V5: true, Props: times2(rawmqtt.User("k", strings.Repeat("v", 65000)), 3)}.Bytes())
	add(true, "20,000 empty user properties", either, "", rawmqtt.Connect{V5: true, Props: times2(rawmqtt.User("", ""), 20000)}.Bytes())
	add(true, "everything as small as it may be", stays, "", rawmqtt.Connect{V5: true, ID: "bad", Keepalive: 65535,
		Props: cat(rawmqtt.U16(0x21, 1), rawmqtt.U32(0x27, 20), rawmqtt.U16(0x22, 0), rawmqtt.U32(0x11, 0), rawmqtt.U8(0x17, 0), rawmqtt.U8(0x19, 0))}.Bytes())
	add(true, "a packet size that no CONNACK fits in", either, "", rawmqtt.Connect{V5: true, ID: "bad", Props: rawmqtt.U32(0x27, 1)}.Bytes())
	return out
}

package abuse

import (
	"strings"

	"edged/test/rawmqtt"
)

// publishCases are faults in PUBLISH.
func publishCases() (out []bad) {
	add := func(list []bad) { out = append(out, list...) }
	topic := func(name string, w want, topics ...string) {
		add(both(bad{name: "PUBLISH: topic " + name, want: w, codes: "\x90"}, func(v5 bool) (tries [][]byte) {
			for _, s := range topics {
				for qos := range byte(3) {
					tries = append(tries, rawmqtt.Publish{Topic: s, QoS: qos, ID: 1, Payload: "x"}.Bytes(v5))
				}
			}
			return tries
		}))
	}
	topic("empty", ends, "")
	topic("with #", ends, "#", "site/#", "#/site", "a#")
	topic("with +", ends, "+", "site/+", "+/site", "a+", "site/+/x")
	topic("of 65,535 slashes", either, strings.Repeat("/", 65535))
	topic("of 32,767 levels", either, deep("a", 32766))
	topic("of a thousand levels", either, deep("site", 999))
	topic("of 65,535 letters", either, strings.Repeat("a", 65535))
	topic("below $SYS", either, "$SYS/broker/uptime", "$SYS", "$SYS/")
	topic("of a shared subscription", either, "$share/g/site", "$share", "$queue/site")
	topic("of slashes and spaces", stays, "/", "//", " ", "site// /", "\u00a0", "site/\uFEFF")
	topic("like a file or a query", stays, "site/../../etc/passwd", "site/%00", "site/' OR 1=1", "site/${x}")

	add(both(bad{name: "PUBLISH: packet identifier 0"}, func(v5 bool) [][]byte {
		return [][]byte{rawmqtt.Publish{Topic: "site/x", QoS: 1}.Bytes(v5), rawmqtt.Publish{Topic: "site/x", QoS: 2}.Bytes(v5), rawmqtt.Publish{Topic: "site/x", QoS: 2, Dup: true}.Bytes(v5)}
	}))
	add(same(bad{name: "PUBLISH: no packet identifier"}, pack(0x32, text("site/x")), pack(0x34, text("site/x")), pack(0x32, text("site/x"), 0)))
	add(same(bad{name: "PUBLISH: no body"}, []byte{0x30, 0}, []byte{0x32, 0}, []byte{0x34, 0}, []byte{0x30, 1, 0}))
	add(same(bad{name: "PUBLISH: topic longer than the packet"}, pack(0x30, 0xFF, 0xFF, "site"), pack(0x32, 0, 9, "site/x"), pack(0x30, 0, 1)))
	add(both(bad{name: "PUBLISH: no payload", want: stays}, func(v5 bool) [][]byte {
		return [][]byte{rawmqtt.Publish{Topic: "site/x"}.Bytes(v5), rawmqtt.Publish{Topic: "site/x", QoS: 1, ID: 1}.Bytes(v5), rawmqtt.Publish{Topic: "site/x", QoS: 2, ID: 1, Retain: true}.Bytes(v5)}
	}))
	add(both(bad{name: "PUBLISH: one identifier for everything", want: either}, func(v5 bool) [][]byte {
		one := rawmqtt.Publish{Topic: "site/x", QoS: 1, ID: 7}.Bytes(v5)
		two := rawmqtt.Publish{Topic: "site/x", QoS: 2, ID: 7, Dup: true}.Bytes(v5)
		return [][]byte{times2(one, 20), times2(two, 20), cat(two, rawmqtt.Ack(0x62, 7), two, rawmqtt.Ack(0x62, 7))}
	}))
	add(both(bad{name: "PUBLISH: one identifier with QoS 1 and 2 at once", want: either}, func(v5 bool) [][]byte {
		return [][]byte{cat(rawmqtt.Publish{Topic: "site/x", QoS: 2, ID: 7}.Bytes(v5), rawmqtt.Publish{Topic: "site/x", QoS: 1, ID: 7}.Bytes(v5), rawmqtt.Ack(0x62, 7))}
	}))
	add(both(bad{name: "PUBLISH: payload of every byte", want: stays}, func(v5 bool) [][]byte {
		var b []byte
		for i := range 256 {
			b = append(b, byte(i))
		}
		return [][]byte{rawmqtt.Publish{Topic: "site/x", Payload: string(b), QoS: 1, ID: 1}.Bytes(v5)}
	}))

	with := func(name string, w want, codes string, bodies ...[]byte) { // what follows the topic of a QoS 0 PUBLISH of MQTT 5
		var tries [][]byte
		for _, b := range bodies {
			tries = append(tries, pack(0x30, text("site/x"), b))
		}
		add(one(true, bad{name: "PUBLISH: " + name, want: w, codes: codes}, tries...))
	}
	with("no properties length", ends, "", nil)
	with("properties longer than the packet", ends, "", cat(0x7F), cat(5, 1, 1), cat(0xFF, 0xFF, 0xFF, 0x7F))
	with("properties length of five bytes", ends, "", cat(0x80, 0x80, 0x80, 0x80, 0), times(10, 0xFF))
	with("properties length longer than needed", ends, "", cat(0x80, 0), cat(0x82, 0, 1, 0))
	with("properties that end inside a property", ends, "", cat(1, 1, 1), cat(3, 2, 0, 0, 0, 9), cat(4, 3, 0, 9, 'x'))
	with("property identifier of two bytes", ends, "", props([]byte{0x81, 0, 1}), props([]byte{0x80, 1, 1}), props([]byte{0xFF, 0x7F, 1}))
	with("property identifier without an end", ends, "", props(times(6, 0xFF)))
	with("payload format 2", ends, "\x99", props(rawmqtt.U8(1, 2)), props(rawmqtt.U8(1, 255)))
	with("payload format 1 and a payload that is not text", either, "", cat(props(rawmqtt.U8(1, 1)), 0xFF, 0xFE))
	with("expires at once", stays, "", props(rawmqtt.U32(2, 0)))
	with("response topic with a wildcard", ends, "\x90", props(rawmqtt.Str(8, "#")), props(rawmqtt.Str(8, "a/+")))
	with("response topic empty", either, "", props(rawmqtt.Str(8, "")))
	with("response topic of 65,535 slashes", either, "", props(rawmqtt.Str(8, strings.Repeat("/", 65535))))
	with("correlation data longer than the packet", ends, "", props(cat(9, 0xFF, 0xFF, "x")))
	with("correlation data of 65,535 bytes", stays, "", props(rawmqtt.Str(9, strings.Repeat("\x00", 65535))))
	with("user property without a value", ends, "", props(cat(0x26, text("k"))), props(cat(0x26, text("k"), 0)), props(cat(0x26, text("k"), 0xFF, 0xFF)))
	with("10,000 user properties", stays, "", props(times2(rawmqtt.User("k", "v"), 10000)))
	with("user properties of 250 KB", stays, "", props(times2(rawmqtt.User("k", strings.Repeat("v", 62000)), 4)))
	with("subscription identifier", ends, "", props(cat(0x0B, 1)))
	with("topic alias 0", ends, "\x94", props(rawmqtt.U16(0x23, 0)))
	with("topic alias beyond the maximum", ends, "\x94", props(rawmqtt.U16(0x23, 65535)))
	empty := func(p ...[]byte) []byte { return pack(0x30, text(""), props(p...)) }
	add(one(true, bad{name: "PUBLISH: topic alias that was never set", codes: "\x94\x90"}, empty(rawmqtt.U16(0x23, 1)), empty(rawmqtt.U16(0x23, 9))))
	set := func(alias uint16, topic string) []byte {
		return rawmqtt.Publish{Topic: topic, Props: rawmqtt.U16(0x23, alias)}.Bytes(true)
	}
	add(one(true, bad{name: "PUBLISH: topic alias of another connection", codes: "\x94\x90"}, cat(set(1, "site/a"), empty(rawmqtt.U16(0x23, 2)))))
	add(one(true, bad{name: "PUBLISH: topic alias for a topic that is not one", codes: "\x90"}, set(1, "site/#"), set(1, "a\x00b"), set(1, "\xFF")))
	add(one(true, bad{name: "PUBLISH: topic alias set again and again", want: stays}, times2(cat(set(1, "site/a"), set(1, "site/b"), empty(rawmqtt.U16(0x23, 1))), 500)))
	add(one(true, bad{name: "PUBLISH: topic alias for 65,535 letters", want: either}, times2(set(1, strings.Repeat("a", 65535)), 5)))
	return out
}

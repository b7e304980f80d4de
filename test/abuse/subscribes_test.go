package abuse

import (
	"encoding/binary"
	"fmt"
	"strings"

	"edged/test/rawmqtt"
)

// subscribeCases are faults in SUBSCRIBE and UNSUBSCRIBE.
func subscribeCases() (out []bad) {
	add := func(list []bad) { out = append(out, list...) }
	filter := func(name string, w want, codes string, filters ...string) {
		add(both(bad{name: "SUBSCRIBE: filter " + name, want: w, codes: "\x8F" + codes}, func(v5 bool) (tries [][]byte) {
			for i, f := range filters {
				tries = append(tries, rawmqtt.Subscribe(v5, uint16(i+1), f, byte(i%3)))
			}
			return tries
		}))
		add(both(bad{name: "UNSUBSCRIBE: filter " + name, want: either}, func(v5 bool) (tries [][]byte) {
			for _, f := range filters {
				tries = append(tries, rawmqtt.Unsubscribe(v5, 1, f))
			}
			return tries
		}))
	}
	filter("empty", refused, "", "")
	filter("with # inside", refused, "", "a/#/b", "#/", "#/#", "##", "a/##", "/#/")
	filter("with # beside letters", refused, "", "a#", "a/b#", "#a", "a/#b")
	filter("with + beside letters", refused, "", "a+", "+a", "a/+b/c", "++", "a/b+")
	filter("of 65,535 slashes", either, "", strings.Repeat("/", 65535))
	filter("of 32,768 wildcards", either, "", deep("+", 32767))
	filter("of a thousand levels and #", either, "", deep("+", 999)+"/#")
	filter("of 65,535 letters", either, "", strings.Repeat("a", 65535))
	filter("below $SYS", either, "", "$SYS/#", "$SYS/+/x", "$", "$/#", "$+/x", "$#")
	filter("for everything, in many ways", stays, "", "#", "+/#", "+/+/#", "/#", "/+/#", "site/#", "site/+/#", "+")
	add(one(true, bad{name: "SUBSCRIBE: $share without a filter", want: refused, codes: "\x8F\x9E"}, rawmqtt.Subscribe(true, 1, "$share", 1), rawmqtt.Subscribe(true, 1, "$share/", 1),
		rawmqtt.Subscribe(true, 1, "$share/g", 1), rawmqtt.Subscribe(true, 1, "$share/g/", 1)))
	add(one(true, bad{name: "SUBSCRIBE: $share without a name", want: refused, codes: "\x8F\x9E"}, rawmqtt.Subscribe(true, 1, "$share//a", 1), rawmqtt.Subscribe(true, 1, "$share///", 1)))
	add(one(true, bad{name: "SUBSCRIBE: $share with wildcards in its name", want: refused, codes: "\x8F\x9E"}, rawmqtt.Subscribe(true, 1, "$share/+/a", 1),
		rawmqtt.Subscribe(true, 1, "$share/#/a", 1), rawmqtt.Subscribe(true, 1, "$share/g+/a", 1), rawmqtt.Subscribe(true, 1, "$share/#", 1)))
	add(one(true, bad{name: "SUBSCRIBE: $share with a bad filter", want: refused, codes: "\x8F\x9E"}, rawmqtt.Subscribe(true, 1, "$share/g/a#", 1),
		rawmqtt.Subscribe(true, 1, "$share/g/#/a", 1), rawmqtt.Subscribe(true, 1, "$share/g/+a", 1)))
	add(one(true, bad{name: "SUBSCRIBE: $share with No Local", codes: "\x9E"}, rawmqtt.Subscribe(true, 1, "$share/g/a", 4), rawmqtt.Subscribe(true, 1, "$share/g/#", 5)))
	add(one(true, bad{name: "SUBSCRIBE: $share in itself, in capitals, with strange names", want: either}, rawmqtt.Subscribe(true, 1, "$share/g/$share/h/a", 1),
		rawmqtt.Subscribe(true, 1, "$SHARE/g/a", 1), rawmqtt.Subscribe(true, 1, "$share/ /a", 1), rawmqtt.Subscribe(true, 1, "$share/\u202E/#", 1), rawmqtt.Subscribe(true, 1, "$share/"+strings.Repeat("g", 60000)+"/a", 1)))
	add(one(false, bad{name: "SUBSCRIBE: $share before MQTT 5", want: either}, rawmqtt.Subscribe(false, 1, "$share/g/a", 1), rawmqtt.Subscribe(false, 1, "$share//a", 1), rawmqtt.Subscribe(false, 1, "$share", 1)))

	bodies := func(name string, w want, codes string, rest func(v5 bool) [][]byte) {
		for _, k := range []struct {
			name  string
			first byte
			tail  string
		}{{"SUBSCRIBE", 0x82, "\x01"}, {"UNSUBSCRIBE", 0xA2, ""}} {
			add(both(bad{name: k.name + ": " + name, want: w, codes: codes}, func(v5 bool) (tries [][]byte) {
				for _, b := range rest(v5) {
					tries = append(tries, pack(k.first, b, strings.Repeat(k.tail, min(1, len(b)/6))))
				}
				return tries
			}))
		}
	}
	bodies("packet identifier 0", ends, "", func(v5 bool) [][]byte { return [][]byte{cat(id(0), none(v5), text("abc"))} })
	bodies("no filter", ends, "", func(v5 bool) [][]byte { return [][]byte{cat(id(1), none(v5))} })
	bodies("no body", ends, "", func(bool) [][]byte { return [][]byte{nil, {0}} })
	bodies("filter longer than the packet", ends, "", func(v5 bool) [][]byte {
		return [][]byte{cat(id(1), none(v5), 0xFF, 0xFF, "ab"), cat(id(1), none(v5), text("ab"), 1, 0, 9, "x")}
	})
	many := func(first byte, n int, name func(i int) string, tail ...byte) func(v5 bool) [][]byte {
		return func(v5 bool) [][]byte {
			b := cat(id(1), none(v5))
			for i := range n {
				b = append(append(b, text(name(i))...), tail...)
			}
			return [][]byte{pack(first, b)}
		}
	}
	a := func(int) string { return "a" }
	distinct := func(i int) string { return fmt.Sprint("many/", i) }
	add(both(bad{name: "SUBSCRIBE: 50,000 times the same filter", want: either}, many(0x82, 50000, a, 1)))
	add(both(bad{name: "SUBSCRIBE: 15,000 filters", want: either}, many(0x82, 15000, distinct, 2)))
	add(both(bad{name: "SUBSCRIBE: 800 filters for everything", want: either}, many(0x82, 800, func(i int) string { return strings.Repeat("+/", i%16) + "#" }, 0)))
	add(both(bad{name: "UNSUBSCRIBE: 60,000 times the same filter", want: either}, many(0xA2, 60000, a)))
	add(both(bad{name: "UNSUBSCRIBE: 15,000 filters that nobody has", want: either}, many(0xA2, 15000, distinct)))

	option := func(name string, v5 bool, options ...byte) {
		var tries [][]byte
		for _, o := range options {
			tries = append(tries, rawmqtt.Subscribe(v5, 1, "a", o))
		}
		add(one(v5, bad{name: "SUBSCRIBE: " + name}, tries...))
	}
	option("QoS 3", true, 3, 7)
	option("QoS 3", false, 3)
	option("reserved bits", false, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xFD)
	option("reserved bits", true, 0x40, 0x80, 0xC1)
	option("retain handling 3", true, 0x30, 0x31)
	add(both(bad{name: "SUBSCRIBE: no options"}, func(v5 bool) [][]byte {
		return [][]byte{pack(0x82, id(1), none(v5), text("a")), pack(0x82, id(1), none(v5), text("a"), 1, text("b"))}
	}))
	identifier := func(name string, w want, p ...[]byte) {
		var tries [][]byte
		for _, b := range p {
			tries = append(tries, pack(0x82, id(1), props(b), text("site/x"), 1))
		}
		add(one(true, bad{name: "SUBSCRIBE: subscription identifier " + name, want: w, codes: "\xA1"}, tries...))
	}
	identifier("0", ends, cat(0x0B, 0))
	identifier("twice", ends, cat(0x0B, 1, 0x0B, 1), cat(0x0B, 1, 0x0B, 2))
	identifier("of five bytes", ends, cat(0x0B, 0x80, 0x80, 0x80, 0x80, 1))
	identifier("longer than needed", ends, cat(0x0B, 0x81, 0))
	identifier("cut off", ends, cat(0x0B), cat(0x0B, 0x80))
	identifier("as large as it may be", stays, binary.AppendUvarint([]byte{0x0B}, 268435455))
	return out
}

package abuse

import (
	"slices"

	"edged/test/rawmqtt"
)

// notText are strings that no MQTT packet may carry [MQTT-1.5.4-1, -2] (3.1.1: [MQTT-1.5.3-1, -2]).
var notText = []struct{ name, s string }{
	{"NUL", "a\x00b"}, {"only NUL", "\x00"}, {"surrogate D800", "a\xED\xA0\x80"}, {"surrogate DFFF", "\xED\xBF\xBFb"}, {"surrogate pair", "\xED\xA0\xBD\xED\xB8\x80"},
	{"bytes of Latin-1", "Gr\xFC\xDFe"}, {"lone continuation", "a\x80b"}, {"cut sequence", "a\xE2\x82"}, {"overlong NUL", "a\xC0\x80"}, {"overlong slash", "a\xE0\x80\xAFb"},
	{"beyond U+10FFFF", "\xF4\x90\x80\x80"}, {"five-byte form", "\xF8\x88\x80\x80\x80"}, {"FE FF", "\xFE\xFF"},
}

// stringCases put each of them into each field that is text.
func stringCases() (out []bad) {
	field := func(name string, b bad, versions []bool, packet func(v5 bool, s string) []byte) {
		for _, v5 := range versions {
			var tries [][]byte
			var hint []string
			for _, n := range notText {
				tries, hint = append(tries, packet(v5, n.s)), append(hint, n.name)
			}
			b.name, b.hint = name+" that is not text", hint
			out = append(out, one(v5, b, tries...)...)
		}
	}
	each, five := []bool{false, true}, []bool{true}
	first := bad{first: true, codes: "\x85\x8F\x90\x02"}
	field("client identifier", first, each, func(v5 bool, s string) []byte { return rawmqtt.Connect{ID: s, V5: v5}.Bytes() })
	field("user name", first, each, func(v5 bool, s string) []byte { return rawmqtt.Connect{ID: "bad", User: s, V5: v5}.Bytes() })
	field("will topic", first, each, func(v5 bool, s string) []byte { return rawmqtt.Connect{ID: "bad", Will: s, V5: v5}.Bytes() })
	names := bad{codes: "\x90"}
	field("topic", names, each, func(v5 bool, s string) []byte { return rawmqtt.Publish{Topic: s}.Bytes(v5) })
	field("topic with QoS 1", names, each, func(v5 bool, s string) []byte { return rawmqtt.Publish{Topic: s, QoS: 1, ID: 1}.Bytes(v5) })
	field("topic with QoS 2", names, each, func(v5 bool, s string) []byte {
		return rawmqtt.Publish{Topic: "site/" + s, QoS: 2, ID: 1}.Bytes(v5)
	})
	filters := bad{want: refused, codes: "\x8F"}
	field("filter", filters, each, func(v5 bool, s string) []byte { return rawmqtt.Subscribe(v5, 1, s, 1) })
	field("second filter", filters, each, func(v5 bool, s string) []byte { return pack(0x82, id(1), none(v5), text("a"), 0, text(s), 0) })
	field("shared filter", filters, five, func(_ bool, s string) []byte { return rawmqtt.Subscribe(true, 1, "$share/"+s+"/a", 1) })
	field("filter of UNSUBSCRIBE", filters, each, func(v5 bool, s string) []byte { return rawmqtt.Unsubscribe(v5, 1, s) })

	// Properties that are text, wherever they may be.
	for _, p := range packetsWithProperties() {
		for _, prop := range properties {
			if prop.kind != aText && prop.kind != aPair || !slices.Contains(prop.in, p.name) {
				continue
			}
			b := bad{first: p.first, codes: p.codes + "\x8C", free: p.free}
			field(p.name+": "+prop.name, b, five, func(_ bool, s string) []byte {
				if prop.kind == aPair {
					return p.packet(rawmqtt.User("k", s))
				}
				return p.packet(rawmqtt.Str(prop.id, s))
			})
			if prop.kind == aPair {
				field(p.name+": key of a "+prop.name, b, five, func(_ bool, s string) []byte { return p.packet(rawmqtt.User(s, "v")) })
			}
		}
	}
	return out
}

package abuse

import (
	"strings"

	"edged/test/rawmqtt"
)

// willCases are faults in the will of a CONNECT.
func willCases() (out []bad) {
	will := func(name string, w want, codes string, props func(v5 bool) []byte, fields ...any) {
		for _, v5 := range []bool{false, true} {
			level := byte(4)
			if v5 {
				level = 5
			}
			p := none(v5)
			if props != nil {
				if !v5 {
					continue
				}
				p = props(v5)
			}
			out = append(out, one(v5, bad{name: "will: " + name, first: true, want: w, codes: codes},
				pack(0x10, header(level, 0x06), none(v5), text("bad"), p, cat(fields...)))...)
		}
	}
	const names = "\x90\x8F"
	will("topic empty", ends, names, nil, text(""), text("x"))
	will("topic with #", ends, names, nil, text("site/#"), text("x"))
	will("topic with +", ends, names, nil, text("site/+/x"), text("x"))
	will("topic longer than the packet", ends, "", nil, 0xFF, 0xFF, "site")
	will("topic cut in its length", ends, "", nil, 0)
	will("payload not there", ends, "", nil, text("site/x"))
	will("payload longer than the packet", ends, "", nil, text("site/x"), 0xFF, 0xFF, "x")
	will("payload cut in its length", ends, "", nil, text("site/x"), 0)
	will("bytes after the payload", ends, "", nil, text("site/x"), text("x"), "y")
	will("topic of 65,535 slashes", either, "", nil, text(strings.Repeat("/", 65535)), text("x"))
	will("topic below $SYS", either, "", nil, text("$SYS/x"), text("x"))
	will("topic of a shared subscription", either, "", nil, text("$share/g/x"), text("x"))
	will("payload empty", stays, "", nil, text("site/x"), text(""))
	will("payload of 65,535 bytes", stays, "", nil, text("site/x"), text(strings.Repeat("x", 65535)))

	p := func(b ...byte) func(bool) []byte { return func(bool) []byte { return b } }
	rest := cat(text("site/x"), text("x"))
	will("properties longer than the packet", ends, "", p(0x7F, 1, 0), rest)
	will("length of the properties of five bytes", ends, "", p(0x80, 0x80, 0x80, 0x80, 0), rest)
	will("length of the properties longer than needed", ends, "", p(0x80, 0), rest)
	will("payload format 2", ends, "\x99", p(2, 1, 2), rest)
	will("payload format 1 and a payload that is not text", either, "", p(2, 1, 1), text("site/x"), text("\xFF\xFE"))
	will("delay of three bytes", ends, "", p(4, 0x18, 0, 0, 0), rest)
	will("response topic with a wildcard", ends, names, func(bool) []byte { return props(rawmqtt.Str(8, "a/#")) }, rest)
	will("topic alias", ends, "", func(bool) []byte { return props(rawmqtt.U16(0x23, 1)) }, rest)
	will("subscription identifier", ends, "", func(bool) []byte { return props(cat(0x0B, 1)) }, rest)
	will("a thousand user properties", stays, "", func(bool) []byte { return props(times2(rawmqtt.User("k", "v"), 1000)) }, rest)

	var qos [][]byte
	for _, flags := range []byte{0x1E, 0x3E} {
		qos = append(qos, pack(0x10, header(4, flags), text("bad"), rest), pack(0x10, header(5, flags), 0, text("bad"), 0, rest))
	}
	out = append(out, one(false, bad{name: "will: QoS 3", first: true}, qos[0], qos[2])...)
	out = append(out, one(true, bad{name: "will: QoS 3", first: true}, qos[1], qos[3])...)
	return out
}

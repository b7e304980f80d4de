package abuse

import (
	"strings"

	"edged/test/rawmqtt"
)

// sessionCases are faults in DISCONNECT and AUTH.
func sessionCases() (out []bad) {
	add := func(name string, b bad, bodies ...[]byte) {
		first := byte(0xE0)
		if strings.HasPrefix(name, "AUTH") {
			first = 0xF0
		}
		var tries [][]byte
		for _, body := range bodies {
			tries = append(tries, pack(first, body))
		}
		b.name = name
		out = append(out, one(true, b, tries...)...)
	}
	silent := bad{free: true} // who says goodbye wrongly may or may not be answered
	add("DISCONNECT with a reason code that it does not have", silent, cat(1), cat(0x7F), cat(0xFF), cat(0x18, 0))
	add("DISCONNECT with a server's reason code", silent, cat(0x8B), cat(0x8E, 0), cat(0x9C, 0))
	add("DISCONNECT with properties longer than the packet", silent, cat(0, 9), cat(0, 0xFF, 0xFF, 0xFF, 0x7F))
	add("DISCONNECT with bytes after the properties", silent, cat(0, 0, "x"), cat(0, 0, times(1000, 'x')))
	add("DISCONNECT with a session expiry of three bytes", silent, cat(0, 4, 0x11, 0, 0, 0))
	add("DISCONNECT that asks for a session that CONNECT did not", bad{}, cat(0, props(rawmqtt.U32(0x11, 60))), cat(0, props(rawmqtt.U32(0x11, 0xFFFFFFFF))))
	add("DISCONNECT with a session that never expires", bad{free: true, login: rawmqtt.Connect{ID: "bad", Props: rawmqtt.U32(0x11, 1)}}, cat(0, props(rawmqtt.U32(0x11, 0xFFFFFFFF))))
	add("DISCONNECT with a server reference", silent, cat(0, props(rawmqtt.Str(0x1C, "other"))))
	add("DISCONNECT with 200 KB of reasons", silent, cat(4, props(times2(rawmqtt.User("k", strings.Repeat("v", 50000)), 4))))

	method := rawmqtt.Str(0x15, "m")
	add("AUTH without a method in CONNECT", bad{codes: "\x8C"}, cat(0x18, props(method)), cat(0x19, props(method)), cat(0, props(method)))
	add("AUTH without a body", bad{codes: "\x8C"}, nil)
	add("AUTH without properties", bad{codes: "\x8C"}, cat(0x18), cat(0x18, 0), cat(0x19, 0))
	add("AUTH with a reason code that it does not have", bad{codes: "\x8C"}, cat(1, props(method)), cat(0x80, props(method)), cat(0xFF, props(method)))
	add("AUTH with properties longer than the packet", bad{codes: "\x8C"}, cat(0x18, 9), cat(0x18, 0xFF, 0xFF, 0xFF, 0x7F))
	add("AUTH with data and no method", bad{codes: "\x8C"}, cat(0x18, props(rawmqtt.Str(0x16, "data"))))
	add("AUTH with two methods", bad{codes: "\x8C"}, cat(0x18, props(method, method)))
	add("AUTH with bytes after the properties", bad{codes: "\x8C"}, cat(0x18, props(method), "x"))
	add("AUTH with 60,000 bytes of data", bad{codes: "\x8C"}, cat(0x19, props(method, rawmqtt.Str(0x16, strings.Repeat("x", 60000)))))
	return out
}

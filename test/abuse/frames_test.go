package abuse

import (
	"edged/test/rawmqtt"
)

// frameCases are faults of the fixed header.
func frameCases() (out []bad) {
	add := func(list []bad) { out = append(out, list...) }
	flags := func(first byte, right int, body func(v5 bool) []byte) func(v5 bool) [][]byte {
		return func(v5 bool) (tries [][]byte) {
			for f := range 16 {
				if f != right {
					tries = append(tries, pack(first|byte(f), body(v5)))
				}
			}
			return tries
		}
	}
	ack := func(bool) []byte { return id(1) }
	nothing := func(bool) []byte { return nil }
	add(both(bad{name: "flags of PUBACK"}, flags(0x40, 0, ack)))
	add(both(bad{name: "flags of PUBREC"}, flags(0x50, 0, ack)))
	add(both(bad{name: "flags of PUBREL"}, flags(0x60, 2, ack)))
	add(both(bad{name: "flags of PUBCOMP"}, flags(0x70, 0, ack)))
	add(both(bad{name: "flags of SUBSCRIBE"}, flags(0x80, 2, func(v5 bool) []byte { return cat(id(1), none(v5), text("a"), 0) })))
	add(both(bad{name: "flags of UNSUBSCRIBE"}, flags(0xA0, 2, func(v5 bool) []byte { return cat(id(1), none(v5), text("a")) })))
	add(both(bad{name: "flags of PINGREQ"}, flags(0xC0, 0, nothing)))
	add(both(bad{name: "flags of DISCONNECT", free: true}, flags(0xE0, 0, nothing)))
	add(one(true, bad{name: "flags of AUTH"}, flags(0xF0, -1, func(bool) []byte { return cat(0x18, props(rawmqtt.Str(0x15, "m"))) })(true)...))
	add(both(bad{name: "type 0"}, flags(0, -1, nothing)))
	add(both(bad{name: "type 0 with a body"}, flags(0, -1, func(bool) []byte { return times(100, 'x') })))
	add(one(false, bad{name: "type 15, reserved before MQTT 5"}, flags(0xF0, -1, nothing)(false)...))
	add(both(bad{name: "QoS 3"}, func(v5 bool) [][]byte {
		b := cat(text("site/x"), id(1), none(v5), "x")
		return [][]byte{pack(0x36, b), pack(0x37, b), pack(0x3E, b), pack(0x3F, b)}
	}))
	add(both(bad{name: "QoS 0 with DUP", want: either}, func(v5 bool) [][]byte { return [][]byte{pack(0x38, text("site/x"), none(v5), "x")} }))

	for _, k := range []struct {
		name string
		b    byte
	}{{"CONNACK", 0x20}, {"SUBACK", 0x90}, {"UNSUBACK", 0xB0}, {"PINGRESP", 0xD0}} {
		add(both(bad{name: k.name + " sent by a client"}, func(v5 bool) [][]byte {
			return [][]byte{{k.b, 0}, pack(k.b, id(1)), pack(k.b, id(1), none(v5), 0)}
		}))
	}

	add(same(bad{name: "length of five bytes"}, []byte{0xC0, 0x80, 0x80, 0x80, 0x80, 0}, []byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1}, []byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}))
	add(same(bad{name: "length without an end"}, cat(0x30, times(100, 0x80)), cat(0xC0, times(100, 0xFF))))
	long := [][]byte{{0xC0, 0x80, 0}, {0xC0, 0x80, 0x80, 0}, {0xC0, 0x80, 0x80, 0x80, 0}, cat(0x40, 0x82, 0, id(1)), cat(0x40, 0x82, 0x80, 0x80, 0, id(1))}
	add(one(true, bad{name: "length longer than needed"}, long...)) // [MQTT-1.5.5-1]
	add(one(false, bad{name: "length longer than needed", want: either}, long...))
	add(same(bad{name: "length cut off", cut: true, free: true}, []byte{0x30}, []byte{0x30, 0x80}, []byte{0x30, 0xFF, 0xFF}, []byte{0x30, 0xFF, 0xFF, 0xFF}))
	for _, k := range []struct {
		name string
		b    byte
	}{{"PUBLISH", 0x30}, {"PUBLISH QoS 2", 0x34}, {"PUBACK", 0x40}, {"PUBREC", 0x50}, {"PUBREL", 0x62}, {"PUBCOMP", 0x70}, {"SUBSCRIBE", 0x82},
		{"UNSUBSCRIBE", 0xA2}, {"PINGREQ", 0xC0}, {"DISCONNECT", 0xE0}} {
		add(same(bad{name: k.name + " announcing 256 MB", codes: "\x95", free: k.b == 0xE0}, cat([]byte{k.b}, []byte{0xFF, 0xFF, 0xFF, 0x7F}),
			cat([]byte{k.b}, []byte{0xFF, 0xFF, 0xFF, 0x7F}, times(1000, 0))))
	}
	size := func(v5 bool, total int) []byte { // a PUBLISH of so many bytes
		head := cat(text("site/size"), none(v5))
		return pack(0x30, head, times(total-4-len(head), 'x'))
	}
	add(both(bad{name: "the largest packet", want: stays}, func(v5 bool) [][]byte { return [][]byte{size(v5, maxPacket)} }))
	add(both(bad{name: "one byte more than the largest packet", codes: "\x95"}, func(v5 bool) [][]byte { return [][]byte{size(v5, maxPacket+1), size(v5, maxPacket+1)[:5]} }))
	add(both(bad{name: "four times the largest packet", codes: "\x95"}, func(v5 bool) [][]byte { return [][]byte{size(v5, 4*maxPacket)} }))
	add(same(bad{name: "PINGREQ with a body"}, pack(0xC0, 0), pack(0xC0, times(1000, 0))))
	add(same(bad{name: "PINGREQ cut off", cut: true, free: true}, []byte{0xC0}))
	add(same(bad{name: "bytes after DISCONNECT", free: true}, cat([]byte{0xE0, 0}, []byte{0xC0, 0}), cat([]byte{0xE0, 0}, times(10000, 0xFF))))
	add(one(false, bad{name: "DISCONNECT with a body", free: true}, pack(0xE0, 0), pack(0xE0, 4, 0)))
	add(same(bad{name: "a thousand PINGREQs in one write", want: stays}, times(1000, 0xC0, 0)))
	add(same(bad{name: "noise", free: true, cut: true}, times(4096, 0xFF), times(4096, 0), []byte("\r\n\r\n"), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")))
	return out
}

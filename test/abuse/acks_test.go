package abuse

import (
	"edged/test/rawmqtt"
)

// ackCases are faults in PUBACK, PUBREC, PUBREL and PUBCOMP.
func ackCases() (out []bad) {
	add := func(list []bad) { out = append(out, list...) }
	for _, k := range []struct {
		name  string
		first byte
	}{{"PUBACK", 0x40}, {"PUBREC", 0x50}, {"PUBREL", 0x62}, {"PUBCOMP", 0x70}} {
		add(same(bad{name: k.name + " of nothing", want: stays}, rawmqtt.Ack(k.first, 1), rawmqtt.Ack(k.first, 65535), times2(rawmqtt.Ack(k.first, 7), 1000)))
		add(same(bad{name: k.name + " of everything", want: stays}, everyID(k.first)))
		add(same(bad{name: k.name + " with identifier 0", want: either}, rawmqtt.Ack(k.first, 0)))
		add(same(bad{name: k.name + " without an identifier"}, []byte{k.first, 0}, []byte{k.first, 1, 1}))
		add(one(false, bad{name: k.name + " with a reason code"}, pack(k.first, id(1), 0), pack(k.first, id(1), 0, 0), pack(k.first, id(1), times(1000, 'x'))))
		add(one(true, bad{name: k.name + " with a reason code that it does not have"}, pack(k.first, id(1), 1), pack(k.first, id(1), 0x7F, 0), pack(k.first, id(1), 0xFF, 0), pack(k.first, id(1), 0x18)))
		add(one(true, bad{name: k.name + " with properties longer than the packet"}, pack(k.first, id(1), 0, 9), pack(k.first, id(1), 0, 0xFF, 0xFF, 0xFF, 0x7F), pack(k.first, id(1), 0, 5, 0x1F, 0, 9, 'x', 'y')))
		add(one(true, bad{name: k.name + " with bytes after the properties"}, pack(k.first, id(1), 0, 0, "x"), pack(k.first, id(1), 0, props(rawmqtt.Str(0x1F, "x")), 0)))
		add(one(true, bad{name: k.name + " with a properties length of five bytes"}, pack(k.first, id(1), 0, 0x80, 0x80, 0x80, 0x80, 0)))
		add(one(true, bad{name: k.name + " with 200 KB of reasons", want: stays}, pack(k.first, id(1), 0, props(times2(rawmqtt.User("k", string(times(50000, 'v'))), 4)))))
	}
	// Deliveries that are answered with the acknowledgement of another QoS.
	add(both(bad{name: "own messages acknowledged wrongly", want: either}, func(v5 bool) (tries [][]byte) {
		for _, answer := range []byte{0x40, 0x50, 0x62, 0x70} {
			for qos := range byte(3) {
				tries = append(tries, cat(rawmqtt.Subscribe(v5, 1, "site/self", qos), rawmqtt.Publish{Topic: "site/self", QoS: qos, ID: 1}.Bytes(v5),
					rawmqtt.Ack(answer, 1), rawmqtt.Ack(answer, 1), rawmqtt.Ack(answer, 2)))
			}
		}
		return tries
	}))
	add(one(true, bad{name: "more QoS 2 than the receive maximum", codes: "\x93", want: either}, overReceiveMaximum()))
	return out
}

// everyID acknowledges every packet identifier that there is.
func everyID(first byte) (b []byte) {
	for n := 1; n < 1<<16; n++ {
		b = append(b, rawmqtt.Ack(first, uint16(n))...)
	}
	return b
}

// overReceiveMaximum begins more exchanges than any receive maximum allows; the behaviours look at the reason code.
func overReceiveMaximum() (b []byte) {
	for n := 1; n < 1<<16; n += 16 {
		b = append(b, rawmqtt.Publish{Topic: "site/x", QoS: 2, ID: uint16(n)}.Bytes(true)...)
	}
	return b
}

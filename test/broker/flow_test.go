package broker

import (
	"fmt"
	"testing"

	"edged/test/rawmqtt"
)

func TestReceiveMaximumOfAClient(t *testing.T) {
	shows(t, "v5:MQTT-3.3.4-9", "v5:MQTT-3.3.4-10", "v5:MQTT-4.9.0-1", "v5:MQTT-4.9.0-2", "v5:MQTT-4.9.0-3")
	for qos := byte(1); qos <= 2; qos++ {
		w := login(t, rawmqtt.Connect{V5: true, Props: rawmqtt.U16(0x21, 2)})
		topic := fresh()
		granted(t, w, topic, qos, qos)
		p := client(t, true)
		for i := range 5 {
			whole(t, p, rawmqtt.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: qos, ID: 1})
		}
		var open []uint16
		for i := range 2 {
			open = append(open, next(t, w, topic, fmt.Sprint(i), qos).ID)
		}
		w.Quiet() // and other packets are answered
		if c := w.Subscribe(9, topic+"/other", 0); c != 0 {
			t.Errorf("SUBACK %X", c)
		}
		publish(t, w, rawmqtt.Publish{Topic: fresh()})
		for i := 2; i < 5; i++ {
			id := open[0]
			open = open[1:]
			if qos == 1 {
				w.Ack(0x40, id)
			} else {
				w.Ack(0x50, id)
				w.Acks(0x62, id)
				w.Quiet() // PUBREC frees nothing
				w.Ack(0x70, id)
			}
			open = append(open, next(t, w, topic, fmt.Sprint(i), qos).ID)
			w.Quiet()
		}
	}
}

// The code must reach a client that goes on sending: a connection that is closed with bytes unread resets, and takes with it what the
// client has not read.
func TestMoreThanTheReceiveMaximum(t *testing.T) {
	shows(t, "v5:MQTT-3.3.4-7", "v5:MQTT-4.13.1-1")
	w := dial(t)
	ack := w.Connect(rawmqtt.Connect{V5: true, ID: fresh()})
	n, ok := properties(t, ack).Int(0x21)
	if !ok {
		n = 65535
	}
	topic := fresh()
	var b []byte
	for i := range n + 1 { // without PUBREL each stays open
		b = append(b, rawmqtt.Publish{Topic: topic, QoS: 2, ID: uint16(i + 1)}.Bytes(true)...)
	}
	for i := range 20000 {
		b = append(b, rawmqtt.Publish{Topic: topic, Payload: "more", QoS: 2, ID: uint16(n + 2 + i)}.Bytes(true)...)
	}
	_, _ = w.Write(b) // some 400 KB, before the first byte is read
	violated(t, w, 0x93)
}

func TestTheReceiveMaximumIsUsable(t *testing.T) {
	shows(t, "v5:MQTT-4.9.0-3")
	w := dial(t)
	n, _ := properties(t, w.Connect(rawmqtt.Connect{V5: true, ID: fresh()})).Int(0x21)
	if n == 0 || n > 1000 {
		n = 1000
	}
	topic := fresh()
	for qos := byte(1); qos <= 2; qos++ {
		for range 3 {
			var ms []rawmqtt.Publish
			for i := range n {
				ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: qos, ID: uint16(i + 1)})
			}
			whole(t, w, ms...)
		}
	}
	w.Quiet()
}

func TestLargestPacketOfAClient(t *testing.T) {
	shows(t, "v5:MQTT-3.1.2-24", "v5:MQTT-3.1.2-25")
	for qos := range byte(3) {
		topic := fresh()
		payload := make([]byte, 100)
		size := len(rawmqtt.Publish{Topic: topic, Payload: string(payload), QoS: qos}.Bytes(true))
		props := append(rawmqtt.U32(0x27, uint32(size)), rawmqtt.U16(0x21, 1)...) // one at a time: what is dropped takes no place
		w := login(t, rawmqtt.Connect{V5: true, Props: props})
		granted(t, w, topic, qos, qos)
		p := client(t, true)
		for _, add := range []int{1, 0, 100, 70000, 0} {
			whole(t, p, rawmqtt.Publish{Topic: topic, Payload: string(make([]byte, 100+add)), QoS: qos, ID: 1})
			if add > 0 {
				continue
			}
			m := next(t, w, topic, string(payload), qos)
			switch qos {
			case 1:
				w.Ack(0x40, m.ID)
			case 2:
				w.Ack(0x50, m.ID)
				w.Acks(0x62, m.ID)
				w.Ack(0x70, m.ID)
			}
		}
		w.Quiet()
	}
}

func TestLargestPacketOfTheServer(t *testing.T) {
	shows(t, "v5:MQTT-3.2.2-15")
	decided(t)
	const most = 256 << 10
	both(t, func(t *testing.T, v5 bool) {
		w := client(t, v5)
		head := len(rawmqtt.Publish{Topic: "x"}.Bytes(v5)) + 2 // three bytes of length
		w.Publish(rawmqtt.Publish{Topic: "x", Payload: string(make([]byte, most-head))})
		w.Quiet()
		// The length alone is enough: nothing is reserved for what will not be taken.
		w.Send(append([]byte{0x30}, rawmqtt.Varint(most-3)...))
		violated(t, w, 0x95)
		w = client(t, v5)
		_, _ = w.Write(rawmqtt.Publish{Topic: "x", Payload: string(make([]byte, 2*most)), QoS: 1, ID: 1}.Bytes(v5))
		violated(t, w, 0x95)
	})
}

// Whatever the broker adds to an answer, the answer stays within what the client takes.
func TestAnswersAreSmallEnough(t *testing.T) {
	shows(t, "v5:MQTT-3.1.2-24", "v5:MQTT-3.1.2-29", "v5:MQTT-3.2.2-19", "v5:MQTT-3.2.2-20", "v5:MQTT-3.4.2-2", "v5:MQTT-3.4.2-3", "v5:MQTT-3.5.2-2", "v5:MQTT-3.5.2-3", "v5:MQTT-3.6.2-2",
		"v5:MQTT-3.6.2-3", "v5:MQTT-3.7.2-2", "v5:MQTT-3.7.2-3", "v5:MQTT-3.9.2-1", "v5:MQTT-3.9.2-2", "v5:MQTT-3.11.2-1", "v5:MQTT-3.11.2-2",
		"v5:MQTT-3.14.2-3", "v5:MQTT-3.14.2-4", "v5:MQTT-3.14.2-2")
	const most = 48 // CONNACK fits, a reason in words hardly
	for _, quiet := range []bool{false, true} {
		props := rawmqtt.U32(0x27, most)
		if quiet { // and without problem information there are no reasons, save in CONNACK and DISCONNECT
			props = append(props, rawmqtt.U8(0x17, 0)...)
		}
		w := dial(t)
		check := func(f rawmqtt.Frame) {
			t.Helper()
			if size := 2 + len(f.Body); size > most && f.Kind != 0 {
				t.Errorf("%d bytes to a client that takes %d: %v", size, most, f)
			}
			for _, p := range properties(t, f) {
				if said := p.ID == 0x1F || p.ID == 0x26; said && quiet && f.Kind != 0x20 && f.Kind != 0xE0 {
					t.Errorf("problem information that is not wanted: %v", f)
				}
				if f.Kind == 0xE0 && p.ID == 0x11 {
					t.Error("a server's DISCONNECT has no session expiry")
				}
			}
		}
		check(w.Connect(rawmqtt.Connect{V5: true, ID: fresh(), Props: props}))
		w.Publish(rawmqtt.Publish{Topic: "$SYS/x", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "$SYS/x", QoS: 2, ID: 2})
		w.Ack(0x62, 99)
		w.Send(rawmqtt.Unsubscribe(true, 3, fresh()))
		if !foreign() {
			w.Send(rawmqtt.Subscribe(true, 4, "bad#", 0))
			w.Ack(0x50, 98)
		}
		answers := 6
		if foreign() {
			answers = 4
		}
		for range answers {
			check(w.Read())
		}
		w.Send([]byte{0x36, 0})
		frames, _ := w.Rest()
		if len(frames) != 1 {
			t.Errorf("at the end there come %v", frames)
		}
		for _, f := range frames {
			check(f)
		}
	}
}

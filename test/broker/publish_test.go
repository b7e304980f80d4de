package broker

import (
	"fmt"
	"strings"
	"testing"

	"edged/test/rawmqtt"
)

func TestEveryQoSIsAnswered(t *testing.T) {
	shows(t, "v3:MQTT-3.3.4-1", "v3:MQTT-2.3.1-6", "v3:MQTT-4.3.2-2", "v3:MQTT-4.3.3-2", "v5:MQTT-3.3.4-1", "v5:MQTT-2.2.1-5", "v5:MQTT-4.3.2-4",
		"v5:MQTT-4.3.3-8", "v5:MQTT-4.3.3-11", "v5:MQTT-3.4.2-1", "v5:MQTT-3.5.2-1", "v5:MQTT-3.7.2-1")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		w.Publish(rawmqtt.Publish{Topic: topic, Payload: "0"})
		w.Quiet()
		for _, id := range []uint16{1, 256, 65535} {
			answer := func(kind byte) {
				f := w.Read()
				if f.Kind != kind || f.ID() != id || f.Code() != 0 && f.Code() != 0x10 || !v5 && len(f.Body) != 2 {
					t.Fatalf("want %02X %d, have %v", kind, id, f)
				}
			}
			w.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: id})
			answer(0x40)
			w.Publish(rawmqtt.Publish{Topic: topic, Payload: "2", QoS: 2, ID: id})
			answer(0x50)
			w.Ack(0x62, id)
			answer(0x70)
		}
	})
}

func TestNobodyIsSubscribed(t *testing.T) {
	shows(t)
	decided(t)
	w := client(t, true)
	w.Publish(rawmqtt.Publish{Topic: fresh(), QoS: 1, ID: 1}, rawmqtt.Publish{Topic: fresh(), QoS: 2, ID: 2})
	for range 2 {
		if f := w.Read(); f.Code() != 0 {
			t.Errorf("%v: 0x10 is not used", f)
		}
	}
}

func TestMalformedPublishes(t *testing.T) {
	shows(t, "v3:MQTT-3.3.1-2", "v3:MQTT-3.3.1-4", "v3:MQTT-2.3.1-1", "v3:MQTT-3.3.2-2", "v3:MQTT-4.7.1-1", "v3:MQTT-4.7.3-1", "v3:MQTT-3.3.2-1", "v3:MQTT-4.8.0-1",
		"v5:MQTT-3.3.1-2", "v5:MQTT-3.3.1-4", "v5:MQTT-2.2.1-3", "v5:MQTT-3.3.2-2", "v5:MQTT-4.7.0-1", "v5:MQTT-4.7.3-1", "v5:MQTT-3.3.2-1", "v5:MQTT-4.13.1-1")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		for name, c := range map[string]struct {
			b    []byte
			code []byte
		}{
			"QoS 3":               {rawmqtt.Publish{Topic: topic, QoS: 3, ID: 1}.Bytes(v5), []byte{0x81}},
			"DUP and QoS 0":       {rawmqtt.Publish{Topic: topic, Dup: true}.Bytes(v5), []byte{0x81, 0x82}},
			"identifier 0, QoS 1": {rawmqtt.Publish{Topic: topic, QoS: 1}.Bytes(v5), []byte{0x81, 0x82}},
			"identifier 0, QoS 2": {rawmqtt.Publish{Topic: topic, QoS: 2}.Bytes(v5), []byte{0x81, 0x82}},
			"+":                   {rawmqtt.Publish{Topic: topic + "/+"}.Bytes(v5), []byte{0x90}},
			"#":                   {rawmqtt.Publish{Topic: topic + "/#", QoS: 1, ID: 1}.Bytes(v5), []byte{0x90}},
			"+ in a level":        {rawmqtt.Publish{Topic: topic + "/a+b", QoS: 2, ID: 1}.Bytes(v5), []byte{0x90}},
			"no topic":            {rawmqtt.Publish{QoS: 1, ID: 1}.Bytes(v5), []byte{0x81, 0x82}},
			"no identifier":       {rawmqtt.Packet(0x32, rawmqtt.Text(topic)), []byte{0x81}},
			"half a topic":        {rawmqtt.Packet(0x30, rawmqtt.Text(topic)[:4]), []byte{0x81}},
			"nothing":             {[]byte{0x30, 0}, []byte{0x81}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := client(t, v5)
				w.Send(c.b)
				violated(t, w, c.code...)
			})
		}
	})
}

func TestRefusedTopics(t *testing.T) {
	shows(t, "v3:MQTT-3.3.5-2", "v5:MQTT-3.4.2-1", "v5:MQTT-3.5.2-1", "v5:MQTT-4.3.3-9")
	decided(t)
	deep := fresh() + strings.Repeat("/x", 32)
	for _, topic := range []string{deep, "$SYS/x", "$SYS", "$share/x/y"} {
		w := client(t, true)
		w.Publish(rawmqtt.Publish{Topic: topic, QoS: 1, ID: 1}, rawmqtt.Publish{Topic: topic, QoS: 2, ID: 2}, rawmqtt.Publish{Topic: topic})
		for _, kind := range []byte{0x40, 0x50} {
			if f := w.Read(); f.Kind != kind || f.Code() != 0x90 {
				t.Errorf("%s: %v", topic, f)
			}
		}
		w.Quiet()
		// The identifier of the refused QoS 2 is free: what comes with it now is another message.
		w.Publish(rawmqtt.Publish{Topic: fresh(), QoS: 2, ID: 2})
		w.Acks(0x50, 2)
		for qos := range byte(3) {
			w := client(t, false)
			w.Publish(rawmqtt.Publish{Topic: topic, QoS: qos, ID: 1})
			if qos == 0 {
				w.Quiet()
			} else {
				violated(t, w)
			}
		}
	}
	publish(t, client(t, true), rawmqtt.Publish{Topic: deep[:len(deep)-2]}) // 32 levels
}

// The lower of the message's and the subscription's QoS; DUP says something of this delivery only; QoS 0 has no identifier, which
// the payload would show.
func TestQoSOfDeliveries(t *testing.T) {
	shows(t, "v3:MQTT-3.8.4-6", "v3:MQTT-3.3.1-3", "v3:MQTT-2.3.1-5", "v3:MQTT-4.3.1-1", "v3:MQTT-3.3.1-2", "v3:MQTT-4.3.2-1", "v3:MQTT-4.3.3-1", "v5:MQTT-3.8.4-8", "v5:MQTT-3.3.1-3",
		"v5:MQTT-2.2.1-2", "v5:MQTT-4.3.1-1", "v5:MQTT-4.3.2-2", "v5:MQTT-4.3.3-2", "v5:MQTT-3.3.1-2")
	both(t, func(t *testing.T, v5 bool) {
		for asked := range byte(3) {
			for qos := range byte(3) {
				w, topic := client(t, v5), fresh()
				granted(t, w, topic, asked, asked)
				p := client(t, v5)
				whole(t, p, rawmqtt.Publish{Topic: topic, Payload: "x", QoS: qos, ID: 1, Dup: qos > 0})
				if m := next(t, w, topic, "x", min(asked, qos)); m.Dup {
					t.Errorf("published as DUP, the first delivery is %+v", m)
				}
			}
		}
	})
}

func TestIdentifiersOfDeliveries(t *testing.T) {
	shows(t, "v3:MQTT-2.3.1-1", "v3:MQTT-4.3.2-1", "v5:MQTT-2.2.1-4", "v5:MQTT-4.3.2-1", "v5:MQTT-4.3.3-1")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		granted(t, w, topic, 2, 2)
		p := client(t, v5)
		used := map[uint16]bool{}
		for i := range 10 {
			whole(t, p, rawmqtt.Publish{Topic: topic, Payload: "x", QoS: byte(1 + i%2), ID: uint16(i + 1)})
			m := w.Message()
			if m.ID == 0 || used[m.ID] {
				t.Errorf("identifier %d of a delivery, in use %v", m.ID, used)
			}
			used[m.ID] = true
		}
	})
}

func TestOrder(t *testing.T) {
	shows(t, "v3:MQTT-4.6.0-5", "v3:MQTT-4.6.0-6", "v5:MQTT-4.6.0-5", "v5:MQTT-4.6.0-6")
	both(t, func(t *testing.T, v5 bool) {
		for qos := range byte(3) {
			w, topic := client(t, v5), fresh()
			granted(t, w, topic, qos, qos)
			p := client(t, v5)
			const n = 15 // fewer than most servers' Receive Maximum
			var ms []rawmqtt.Publish
			for i := range n {
				ms = append(ms, rawmqtt.Publish{Topic: topic, Payload: fmt.Sprint(i), QoS: qos, ID: uint16(i + 1)})
			}
			whole(t, p, ms...)
			for i := range n {
				next(t, w, topic, fmt.Sprint(i), qos)
			}
		}
	})
}

// Acknowledgements keep the order of the publishes, across QoS 1 and 2; the specification asks this of clients only.
func TestAcknowledgementsAreInOrder(t *testing.T) {
	shows(t)
	decided(t)
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		for range 3 {
			var ms []rawmqtt.Publish
			for i := range 60 {
				ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: byte(1 + i/3%2), ID: uint16(i + 1)})
			}
			w.Publish(ms...)
			for _, m := range ms {
				w.Acks(0x30+m.QoS<<4, m.ID)
			}
			for _, m := range ms {
				if m.QoS == 2 {
					w.Ack(0x62, m.ID)
					w.Acks(0x70, m.ID)
				}
			}
		}
	})
}

func TestDollarTopics(t *testing.T) {
	shows(t, "v3:MQTT-4.7.2-1", "v5:MQTT-4.7.2-1")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		for _, f := range []string{"+/" + topic, "+/" + topic + "/#", "#"} { // behind the last one there may come what others retain
			granted(t, w, f, 0, 0)
		}
		named := client(t, v5)
		granted(t, named, "$own/"+topic, 0, 0)
		granted(t, named, "$own/"+topic+"/#", 0, 0)
		p := client(t, v5)
		p.Publish(rawmqtt.Publish{Topic: "$own/" + topic, Payload: "hidden"}, rawmqtt.Publish{Topic: "own/" + topic + "/end"})
		next(t, named, "$own/"+topic, "hidden", 0)
		for {
			m := w.Message() // other cases publish too
			if strings.HasPrefix(m.Topic, "$") {
				t.Fatalf("a wildcard at the beginning matched %s", m.Topic)
			}
			if m.Topic == "own/"+topic+"/end" {
				return
			}
		}
	})
}

package broker

import (
	"fmt"
	"testing"

	"edged/test/rawmqtt"
)

func TestSharedSubscriptions(t *testing.T) {
	shows(t, "v5:MQTT-4.8.2-1", "v5:MQTT-4.8.2-2", "v5:MQTT-4.8.2-3")
	topic := fresh()
	says(t, rawmqtt.Publish{Topic: topic + "/kept", Payload: "kept", Retain: true})
	low, high, other := client(t, true), client(t, true), client(t, true)
	granted(t, low, "$share/g/"+topic+"/#", 0, 0)
	granted(t, high, "$share/g/"+topic+"/#", 1, 1)
	granted(t, other, "$share/h/"+topic+"/#", 2, 2)
	for _, w := range []*rawmqtt.Client{low, high, other} {
		w.Quiet() // what is retained is not sent to shared subscriptions
	}
	p, n := client(t, true), 10
	for i := range n {
		publish(t, p, rawmqtt.Publish{Topic: topic + "/x", Payload: fmt.Sprint(i)})
		next(t, other, topic+"/x", fmt.Sprint(i), 1)
	}
	total := 0
	for qos, w := range []*rawmqtt.Client{low, high} {
		w.Send([]byte{0xC0, 0})
		for f := w.Read(); f.Kind != 0xD0; f = w.Read() {
			if m, _ := f.Message(); m.QoS != byte(qos) {
				t.Errorf("to a subscription with QoS %d there came %+v", qos, m)
			}
			total++
		}
	}
	if total != n {
		t.Errorf("a group of two got %d of %d", total, n)
	}
	for _, w := range []*rawmqtt.Client{low, high, other} {
		group := "g"
		if w == other {
			group = "h"
		}
		w.Send(rawmqtt.Unsubscribe(true, 1, "$share/"+group+"/"+topic+"/#"))
		if f := w.Read(); f.Codes()[0] != 0 {
			t.Errorf("UNSUBACK %v", f)
		}
	}
	publish(t, p, rawmqtt.Publish{Topic: topic + "/x"})
	high.Quiet()
}

func TestShareNames(t *testing.T) {
	shows(t, "v5:MQTT-4.8.2-1", "v5:MQTT-4.8.2-2")
	for _, filter := range []string{"$share//x", "$share/", "$share/g", "$share/g/", "$share/g+/x", "$share/+/x", "$share/#/x", "$share/g#/x"} {
		w := client(t, true)
		w.Send(rawmqtt.Subscribe(true, 1, filter, 0))
		f, err := w.TryRead(rawmqtt.Patience)
		switch {
		case foreign() && (err != nil || f.Kind == 0xE0 || f.Kind == 0x90 && f.Codes()[0] >= 0x80):
		case err != nil || f.Kind != 0x90 || f.Codes()[0] != 0x8F:
			t.Errorf("%s: %v %v", filter, f, err)
		}
	}
}

// A QoS 2 message that one of the group has begun to take is that one's, however it ends.
func TestASharedDeliveryOfQoS2StaysWithItsClient(t *testing.T) {
	shows(t, "v5:MQTT-4.8.2-4", "v5:MQTT-4.8.2-5")
	for _, returns := range []bool{true, false} {
		topic, id := fresh(), fresh()
		filter := "$share/g/" + topic
		w := login(t, keeping(true, id))
		granted(t, w, filter, 2, 2)
		says2(t, topic, "x")
		m := next(t, w, topic, "x", 2)
		other := client(t, true)
		granted(t, other, filter, 2, 2)
		_ = w.Close()
		o := keeping(true, id)
		o.Keep = returns
		w, _ = resume(t, o)
		if returns {
			if again := next(t, w, topic, "x", 2); again.ID != m.ID || !again.Dup {
				t.Errorf("it came again as %+v", again)
			}
			w.Ack(0x50, m.ID)
			w.Acks(0x62, m.ID)
		}
		w.Quiet()
		other.Quiet()
	}
}

func TestARefusedSharedDeliveryIsDropped(t *testing.T) {
	shows(t, "v5:MQTT-4.8.2-6")
	topic := fresh()
	filter := "$share/g/" + topic
	w, other := client(t, true), client(t, true)
	granted(t, w, filter, 2, 2)
	p := client(t, true)
	for i, kind := range []byte{0x40, 0x50} {
		whole(t, p, rawmqtt.Publish{Topic: topic, Payload: "x", QoS: byte(i + 1), ID: 1})
		m := next(t, w, topic, "x", byte(i+1))
		if i == 0 {
			granted(t, other, filter, 2, 2)
		}
		w.Send([]byte{kind, 3, byte(m.ID >> 8), byte(m.ID), 0x80})
		w.Quiet()
		other.Quiet()
		if i == 0 {
			other.Send(rawmqtt.Unsubscribe(true, 1, filter))
			other.Read()
		}
	}
}

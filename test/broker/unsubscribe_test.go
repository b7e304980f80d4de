package broker

import (
	"bytes"
	"testing"

	"edged/test/rawmqtt"
)

func TestUnsubackAnswersEveryFilter(t *testing.T) {
	shows(t, "v3:MQTT-3.10.4-4", "v3:MQTT-3.10.4-5", "v3:MQTT-3.10.4-6", "v3:MQTT-2.3.1-7", "v5:MQTT-3.10.4-4", "v5:MQTT-3.10.4-5", "v5:MQTT-3.10.4-6",
		"v5:MQTT-3.11.3-1", "v5:MQTT-3.11.3-2", "v5:MQTT-2.2.1-6", "v5:MQTT-2.2.2-1")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		granted(t, w, topic+"/a", 0, 0)
		granted(t, w, topic+"/b", 0, 0)
		for i, want := range [][]byte{{0, 0x11, 0}, {0x11, 0x11, 0x11}} {
			id := uint16(i*65534 + 1)
			w.Send(rawmqtt.Unsubscription(v5, id, topic+"/a", topic+"/none", topic+"/b"))
			f := w.Read()
			if f.Kind != 0xB0 || f.ID() != id || v5 && !bytes.Equal(f.Codes(), want) || !v5 && len(f.Body) != 2 {
				t.Fatalf("UNSUBACK is %v", f)
			}
			properties(t, f)
		}
		w.Publish(rawmqtt.Publish{Topic: topic + "/a"}, rawmqtt.Publish{Topic: topic + "/b"})
		w.Quiet()
	})
}

func TestUnsubscribingIsByTheLetter(t *testing.T) {
	shows(t, "v3:MQTT-3.10.4-1", "v3:MQTT-3.10.4-2", "v5:MQTT-3.10.4-1", "v5:MQTT-3.10.4-2")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := client(t, v5), fresh()
		granted(t, w, topic+"/+", 0, 0)
		for _, f := range []string{topic + "/#", topic + "/x", topic + "/+/", "C" + topic[1:] + "/+"} {
			w.Send(rawmqtt.Unsubscribe(v5, 1, f))
			w.Read()
		}
		w.Publish(rawmqtt.Publish{Topic: topic + "/x"})
		next(t, w, topic+"/x", "", 0)
		w.Send(rawmqtt.Unsubscribe(v5, 1, topic+"/+"))
		if f := w.Read(); f.Kind != 0xB0 {
			t.Fatal(f)
		}
		says(t, rawmqtt.Publish{Topic: topic + "/x"})
		w.Quiet()
	})
}

func TestUnsubscribingLeavesDeliveriesAlone(t *testing.T) {
	shows(t, "v3:MQTT-3.10.4-3", "v5:MQTT-3.10.4-3")
	both(t, func(t *testing.T, v5 bool) {
		id, topic := fresh(), fresh()
		w := login(t, keeping(v5, id))
		granted(t, w, topic, 2, 2)
		says(t, rawmqtt.Publish{Topic: topic, Payload: "1"})
		says2(t, topic, "2")
		one, two := next(t, w, topic, "1", 1), next(t, w, topic, "2", 2)
		w.Send(rawmqtt.Unsubscribe(v5, 1, topic))
		w.Read()
		w.Ack(0x50, two.ID)
		w.Acks(0x62, two.ID)
		_ = w.Close()
		w, _ = resume(t, keeping(v5, id))
		if m := next(t, w, topic, "1", 1); m.ID != one.ID || !m.Dup {
			t.Errorf("it came again as %+v", m)
		}
		w.Ack(0x40, one.ID)
		w.Acks(0x62, two.ID)
		w.Ack(0x70, two.ID)
		w.Quiet()
	})
}

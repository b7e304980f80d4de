package broker

import (
	"testing"
	"time"

	"edged/test/rawmqtt"
)

func TestRetained(t *testing.T) {
	shows(t, "v3:MQTT-3.3.1-5", "v3:MQTT-3.3.1-6", "v3:MQTT-3.3.1-8", "v3:MQTT-3.3.1-9", "v3:MQTT-3.3.1-12", "v5:MQTT-3.3.1-5", "v5:MQTT-3.3.1-8",
		"v5:MQTT-3.3.1-9", "v5:MQTT-3.3.1-12")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		live := client(t, v5)
		granted(t, live, topic+"/#", 2, 2)
		p := client(t, v5)
		for qos := range byte(3) {
			whole(t, p, rawmqtt.Publish{Topic: topic + "/old", Payload: "old", QoS: qos, ID: 1, Retain: true})
			whole(t, p, rawmqtt.Publish{Topic: topic + "/new", Payload: "new", QoS: qos, ID: 1, Retain: true})
			whole(t, p, rawmqtt.Publish{Topic: topic + "/old", Payload: "newer", QoS: qos, ID: 1, Retain: true})
			whole(t, p, rawmqtt.Publish{Topic: topic + "/new", Payload: "not kept", QoS: qos, ID: 1})
			for _, payload := range []string{"old", "new", "newer", "not kept"} {
				if m := live.Message(); m.Payload != payload || m.Retain || m.QoS != qos {
					t.Errorf("to an old subscription %q came as %+v", payload, m)
				}
			}
			settled(t, p)
			for asked := range byte(3) {
				w := client(t, v5)
				granted(t, w, topic+"/+", asked, asked)
				have := map[string]string{}
				for range 2 {
					m := w.Message()
					have[m.Topic] = m.Payload
					if !m.Retain || m.Dup || m.QoS != min(asked, qos) {
						t.Errorf("to a new subscription there came %+v", m)
					}
				}
				if have[topic+"/old"] != "newer" || have[topic+"/new"] != "new" {
					t.Errorf("retained is %v", have)
				}
				w.Quiet()
			}
		}
	})
}

func TestAnEmptyMessageRemovesTheRetainedOne(t *testing.T) {
	shows(t, "v3:MQTT-3.3.1-10", "v3:MQTT-3.3.1-11", "v3:MQTT-3.3.1-7", "v5:MQTT-3.3.1-6", "v5:MQTT-3.3.1-7")
	both(t, func(t *testing.T, v5 bool) {
		for qos := range byte(3) {
			topic := fresh()
			live, p := client(t, v5), client(t, v5)
			granted(t, live, topic, 2, 2)
			whole(t, p, rawmqtt.Publish{Topic: topic, Payload: "kept", QoS: 1, ID: 1, Retain: true})
			next(t, live, topic, "kept", 1)
			whole(t, p, rawmqtt.Publish{Topic: topic, QoS: qos, ID: 1, Retain: true})
			next(t, live, topic, "", qos)
			settled(t, p)
			if r := retained(t, topic); r != "" {
				t.Errorf("with QoS %d it stayed: %q", qos, r)
			}
			w := client(t, v5)
			granted(t, w, topic, 0, 0)
			w.Quiet() // an empty message is not retained
		}
	})
}

// A QoS 0 message replaces what is retained, here with itself: the specification of 3.1.1 would let it be forgotten.
func TestQoS0IsRetained(t *testing.T) {
	shows(t, "v3:MQTT-3.3.1-7", "v5:MQTT-3.3.1-5")
	both(t, func(t *testing.T, v5 bool) {
		p, topic := client(t, v5), fresh()
		publish(t, p, rawmqtt.Publish{Topic: topic, Payload: "one", Retain: true})
		p.Publish(rawmqtt.Publish{Topic: topic, Payload: "zero", Retain: true})
		settled(t, p)
		if r := retained(t, topic); r != "zero" {
			t.Errorf("retained is %q", r)
		}
	})
}

func TestRetainHandling(t *testing.T) {
	shows(t, "v5:MQTT-3.3.1-9", "v5:MQTT-3.3.1-10", "v5:MQTT-3.3.1-11")
	topic := fresh()
	says(t, rawmqtt.Publish{Topic: topic, Payload: "kept", Retain: true})
	for handling, want := range [][]bool{{true, true}, {true, false}, {false, false}} {
		w := client(t, true)
		for _, comes := range want {
			granted(t, w, topic, byte(handling)<<4|1, 1)
			if comes {
				next(t, w, topic, "kept", 1)
			}
			w.Quiet()
		}
		w.Send(rawmqtt.Unsubscribe(true, 1, topic))
		w.Read()
		granted(t, w, topic, byte(handling)<<4|1, 1) // a new one again
		if want[0] {
			next(t, w, topic, "kept", 1)
		}
		w.Quiet()
	}
}

func TestRetainAsPublished(t *testing.T) {
	shows(t, "v5:MQTT-3.3.1-12", "v5:MQTT-3.3.1-13")
	topic := fresh()
	asIs, plain := client(t, true), client(t, true)
	granted(t, asIs, topic, 8, 0)
	granted(t, plain, topic, 0, 0)
	p := client(t, true)
	for _, retain := range []bool{true, false} {
		p.Publish(rawmqtt.Publish{Topic: topic, Payload: "x", Retain: retain})
		if m := next(t, asIs, topic, "x", 0); m.Retain != retain {
			t.Errorf("published with RETAIN %v, came as %+v", retain, m)
		}
		if m := next(t, plain, topic, "x", 0); m.Retain {
			t.Errorf("without Retain As Published it came as %+v", m)
		}
	}
}

func TestRetainedMessagesExpire(t *testing.T) {
	shows(t, "v5:MQTT-3.3.2-5")
	topic, began := fresh(), time.Now()
	says(t, rawmqtt.Publish{Topic: topic, Payload: "short", Retain: true, Props: rawmqtt.U32(2, 2)})
	if r := retained(t, topic); r != "short" && time.Since(began) < time.Second {
		t.Errorf("at first there is %q", r)
	}
	time.Sleep(3200 * time.Millisecond)
	if r := retained(t, topic); r != "" {
		t.Errorf("after its expiry there is %q", r)
	}
}

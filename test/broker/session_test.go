package broker

import (
	"fmt"
	"testing"
	"time"

	"edged/test/rawmqtt"
)

func TestSessionsAreKeptOrNot(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-4", "v3:MQTT-3.1.2-6", "v3:MQTT-3.1.4-3", "v3:MQTT-3.2.2-1", "v3:MQTT-3.2.2-2", "v3:MQTT-3.2.2-3",
		"v5:MQTT-3.1.2-4", "v5:MQTT-3.1.2-5", "v5:MQTT-3.1.2-6", "v5:MQTT-3.1.4-4", "v5:MQTT-3.2.2-2", "v5:MQTT-3.2.2-3", "v5:MQTT-3.1.2-23")
	both(t, func(t *testing.T, v5 bool) {
		id, topic := fresh(), fresh()
		w, present := resume(t, keeping(v5, id))
		if present {
			t.Error("a session before the first")
		}
		granted(t, w, topic, 1, 1)
		w.Disconnect()
		w, present = resume(t, keeping(v5, id))
		if !present {
			t.Error("the session was not kept")
		}
		says(t, rawmqtt.Publish{Topic: topic, Payload: "1"})
		next(t, w, topic, "1", 1)
		_ = w.Close()
		clean := keeping(v5, id)
		clean.Keep = false
		if w, present = resume(t, clean); present {
			t.Error("a session after a clean start")
		}
		says(t, rawmqtt.Publish{Topic: topic, Payload: "2"})
		w.Quiet() // neither the subscription nor the unacknowledged message
		w.Disconnect()
		if _, present = resume(t, keeping(v5, id)); present != v5 {
			t.Errorf("after a clean start there is a session: %v", present) // of 3.1.1 it ends with the connection
		}
	})
}

func TestMessagesForTheAbsent(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-5", "v3:MQTT-4.1.0-1", "v3:MQTT-4.1.0-2", "v3:MQTT-4.5.0-1", "v5:MQTT-4.1.0-1", "v5:MQTT-4.5.0-1", "v5:MQTT-3.1.2-23")
	both(t, func(t *testing.T, v5 bool) {
		id, topic := fresh(), fresh()
		w := login(t, keeping(v5, id))
		granted(t, w, topic+"/1", 1, 1)
		granted(t, w, topic+"/2", 2, 2)
		here := client(t, v5)
		granted(t, here, topic+"/1", 1, 1)
		_ = w.Close() // not properly: that ends no session either
		says(t, rawmqtt.Publish{Topic: topic + "/1", Payload: "one"})
		p := client(t, v5)
		whole(t, p, rawmqtt.Publish{Topic: topic + "/2", Payload: "two", QoS: 2, ID: 9})
		next(t, here, topic+"/1", "one", 1)
		w, _ = resume(t, keeping(v5, id))
		for range 2 {
			switch m := w.Message(); {
			case m.Topic == topic+"/1" && m.Payload == "one" && m.QoS == 1:
			case m.Topic == topic+"/2" && m.Payload == "two" && m.QoS == 2: // with DUP if the broker sent it before it saw the end
			default:
				t.Errorf("there came %+v", m)
			}
		}
	})
}

func TestRetainedMessagesOutliveTheirPublishersSession(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-7")
	topic := fresh()
	w := client(t, false)
	publish(t, w, rawmqtt.Publish{Topic: topic, Payload: "kept", Retain: true})
	w.Disconnect()
	if p := retained(t, topic); p != "kept" {
		t.Errorf("retained is %q", p)
	}
}

func TestSessionsEndInTime(t *testing.T) {
	shows(t, "v5:MQTT-4.1.0-2", "v5:MQTT-3.1.2-23")
	id := fresh()
	o := rawmqtt.Connect{V5: true, ID: id, Keep: true, Props: rawmqtt.U32(0x11, 1)}
	w, began := login(t, o), time.Now()
	_ = w.Close()
	if _, present := resume(t, o); !present && time.Since(began) < 900*time.Millisecond {
		t.Error("within the second it was not kept")
	}
	// That connection stays open for longer than the second, which ends nothing. Then it is taken over.
	time.Sleep(2500 * time.Millisecond)
	w, present := resume(t, o)
	if !present {
		t.Error("a session ended while its client was connected")
	}
	_ = w.Close()
	time.Sleep(2500 * time.Millisecond)
	if _, present := resume(t, o); present {
		t.Error("after 2.5 s a session of 1 s is there")
	}
	zero := rawmqtt.Connect{V5: true, ID: fresh(), Keep: true}
	login(t, zero).Disconnect()
	if _, present := resume(t, zero); present {
		t.Error("a session without expiry outlived its connection")
	}
}

func TestDisconnectCanChangeTheExpiry(t *testing.T) {
	shows(t, "v5:MQTT-3.1.2-23", "v5:MQTT-4.13.1-1")
	id := fresh()
	bye := func(w *rawmqtt.Client, seconds uint32) {
		w.Send(rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(rawmqtt.U32(0x11, seconds))...)))
	}
	w := login(t, keeping(true, id))
	bye(w, 0)
	w.Ended()
	if _, present := resume(t, keeping(true, id)); present {
		t.Error("a session that its client ended is there")
	}
	w = client(t, true) // it has none: a client cannot begin one with DISCONNECT
	bye(w, 60)
	violated(t, w, 0x82)
}

func TestExpiryIsBounded(t *testing.T) {
	shows(t)
	decided(t)
	for ask, want := range map[uint32]int{0xFFFFFFFF: 7 * 24 * 3600, 8 * 24 * 3600: 7 * 24 * 3600} {
		ps := properties(t, dial(t).Connect(rawmqtt.Connect{V5: true, ID: fresh(), Props: rawmqtt.U32(0x11, ask)}))
		if n, _ := ps.Int(0x11); n != want {
			t.Errorf("asked for %d, told %d, want %d", ask, n, want)
		}
	}
	ps := properties(t, dial(t).Connect(rawmqtt.Connect{V5: true, ID: fresh(), Props: rawmqtt.U32(0x11, 60)}))
	if n, ok := ps.Int(0x11); ok && n != 60 {
		t.Errorf("asked for 60, told %d", n)
	}
}

func TestWhatIsNotAcknowledgedIsSentAgain(t *testing.T) {
	shows(t, "v3:MQTT-4.4.0-1", "v3:MQTT-3.3.1-1", "v3:MQTT-2.3.1-4", "v3:MQTT-4.3.2-1", "v3:MQTT-4.6.0-6", "v5:MQTT-4.4.0-1", "v5:MQTT-3.3.1-1",
		"v5:MQTT-4.3.2-3", "v5:MQTT-4.6.0-5")
	both(t, func(t *testing.T, v5 bool) {
		id, topic := fresh(), fresh()
		w := login(t, keeping(v5, id))
		granted(t, w, topic, 1, 1)
		p := client(t, v5)
		var ids []uint16
		for i := range 5 {
			publish(t, p, rawmqtt.Publish{Topic: topic, Payload: fmt.Sprint(i)})
			ids = append(ids, next(t, w, topic, fmt.Sprint(i), 1).ID)
		}
		w.Quiet() // not in this connection
		w.Ack(0x40, ids[2])
		w.Quiet()
		_ = w.Close()
		w, _ = resume(t, keeping(v5, id))
		for i, id := range ids {
			if i == 2 {
				continue
			}
			if m := next(t, w, topic, fmt.Sprint(i), 1); m.ID != id || !m.Dup {
				t.Errorf("it came again as %+v, the first time with %d", m, id)
			}
			w.Ack(0x40, id)
		}
		w.Quiet()
		_ = w.Close()
		w, _ = resume(t, keeping(v5, id))
		w.Quiet()
	})
}

func TestExchangesOfQoS2GoOnWhereTheyWere(t *testing.T) {
	shows(t, "v3:MQTT-4.4.0-1", "v3:MQTT-4.3.3-1", "v5:MQTT-4.4.0-1", "v5:MQTT-4.3.3-3", "v5:MQTT-4.3.3-5", "v5:MQTT-4.3.3-6")
	both(t, func(t *testing.T, v5 bool) {
		id, topic := fresh(), fresh()
		w := login(t, keeping(v5, id))
		granted(t, w, topic, 2, 2)
		says2(t, topic, "once")
		m := next(t, w, topic, "once", 2)
		_ = w.Close()
		w, _ = resume(t, keeping(v5, id))
		if again := next(t, w, topic, "once", 2); again.ID != m.ID || !again.Dup {
			t.Errorf("before PUBREC it came again as %+v", again)
		}
		w.Ack(0x50, m.ID)
		w.Acks(0x62, m.ID)
		_ = w.Close()
		w, _ = resume(t, keeping(v5, id))
		w.Acks(0x62, m.ID) // PUBREL again, PUBLISH not
		w.Ack(0x70, m.ID)
		w.Quiet()
		_ = w.Close()
		w, _ = resume(t, keeping(v5, id))
		w.Quiet()
	})
}

// says2 publishes one message with QoS 2 as a client of its own.
func says2(t *testing.T, topic, payload string) {
	t.Helper()
	p := client(t, true)
	whole(t, p, rawmqtt.Publish{Topic: topic, Payload: payload, QoS: 2, ID: 9})
	p.Disconnect()
}

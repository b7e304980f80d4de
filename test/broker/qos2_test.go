package broker

import (
	"testing"
	"time"

	"edged/test/rawmqtt"
)

func TestQoS2ArrivesOnce(t *testing.T) {
	shows(t, "v3:MQTT-4.3.3-2", "v5:MQTT-4.3.3-10", "v5:MQTT-4.3.3-11", "v5:MQTT-4.3.3-12")
	both(t, func(t *testing.T, v5 bool) {
		topic, id := fresh(), fresh()
		sub := client(t, v5)
		granted(t, sub, topic, 1, 1)
		p := login(t, keeping(v5, id))
		m := rawmqtt.Publish{Topic: topic, Payload: "first", QoS: 2, ID: 7}
		p.Publish(m)
		p.Acks(0x50, 7)
		m.Dup = true
		p.Publish(m)
		p.Acks(0x50, 7)
		_ = p.Close() // and over another connection
		p, _ = resume(t, keeping(v5, id))
		p.Publish(m)
		p.Acks(0x50, 7)
		p.Ack(0x62, 7)
		p.Acks(0x70, 7)
		whole(t, p, rawmqtt.Publish{Topic: topic, Payload: "second", QoS: 2, ID: 7}) // the identifier is free again
		next(t, sub, topic, "first", 1)
		next(t, sub, topic, "second", 1)
	})
}

func TestAnIdentifierIsFreeAfterPuback(t *testing.T) {
	shows(t, "v3:MQTT-4.3.2-2", "v5:MQTT-4.3.2-5")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		sub, p := client(t, v5), client(t, v5)
		granted(t, sub, topic, 0, 0)
		for _, dup := range []bool{false, false, true} {
			publish(t, p, rawmqtt.Publish{Topic: topic, Payload: "x", Dup: dup})
			next(t, sub, topic, "x", 0)
		}
	})
}

func TestUnknownPubrel(t *testing.T) {
	shows(t, "v3:MQTT-4.3.3-2", "v5:MQTT-4.3.3-11", "v5:MQTT-3.7.2-1")
	both(t, func(t *testing.T, v5 bool) {
		w := client(t, v5)
		w.Ack(0x62, 77)
		f := w.Read()
		if f.Kind != 0x70 || f.ID() != 77 || !v5 && len(f.Body) != 2 || v5 && !foreign() && f.Code() != 0x92 {
			t.Errorf("the answer is %v", f)
		}
	})
}

func TestUnknownAcknowledgements(t *testing.T) {
	shows(t, "v5:MQTT-3.6.2-1", "v5:MQTT-2.2.1-5")
	decided(t)
	w := client(t, true)
	w.Ack(0x50, 77)
	if f := w.Read(); f.Kind != 0x62 || f.ID() != 77 || f.Code() != 0x92 {
		t.Errorf("PUBREC of something unknown is answered with %v", f)
	}
	w.Ack(0x40, 78)
	w.Ack(0x70, 79)
	w.Quiet()
}

func TestQoS2ToASubscriber(t *testing.T) {
	shows(t, "v3:MQTT-4.3.3-1", "v3:MQTT-2.3.1-6", "v5:MQTT-4.3.3-4", "v5:MQTT-3.6.2-1", "v5:MQTT-2.2.1-5")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		w := client(t, v5)
		granted(t, w, topic, 2, 2)
		says2(t, topic, "x")
		m := next(t, w, topic, "x", 2)
		w.Ack(0x50, m.ID)
		if f := w.Read(); f.Kind != 0x62 || f.ID() != m.ID || f.Code() != 0 || !v5 && len(f.Body) != 2 {
			t.Fatalf("want PUBREL, have %v", f)
		}
		w.Ack(0x70, m.ID)
		w.Quiet()
	})
}

func TestARefusalIsAnAcknowledgement(t *testing.T) {
	shows(t, "v5:MQTT-4.4.0-2", "v5:MQTT-4.3.3-4", "v5:MQTT-4.3.2-3")
	id, topic := fresh(), fresh()
	o := keeping(true, id)
	o.Props = append(o.Props, rawmqtt.U16(0x21, 1)...) // Receive Maximum: the next one comes when this one is done
	w := login(t, o)
	granted(t, w, topic, 2, 2)
	p := client(t, true)
	for i, qos := range []byte{2, 1, 2} {
		whole(t, p, rawmqtt.Publish{Topic: topic, Payload: "x", QoS: qos, ID: uint16(i + 1)})
	}
	for i, kind := range []byte{0x50, 0x40} {
		m := next(t, w, topic, "x", byte(2-i))
		w.Send([]byte{kind, 3, byte(m.ID >> 8), byte(m.ID), 0x83})
	}
	m := next(t, w, topic, "x", 2) // without a PUBREL before
	w.Send([]byte{0x50, 3, byte(m.ID >> 8), byte(m.ID), 0x80})
	w.Quiet()
	_ = w.Close()
	w, _ = resume(t, o)
	w.Quiet()
}

func TestExpiryDoesNotEndAnExchange(t *testing.T) {
	shows(t, "v5:MQTT-4.3.3-7", "v5:MQTT-4.3.3-13")
	id, topic := fresh(), fresh()
	w, p := login(t, keeping(true, id)), client(t, true)
	granted(t, w, topic, 2, 2)
	m := rawmqtt.Publish{Topic: topic, Payload: "x", QoS: 2, ID: 3, Props: rawmqtt.U32(0x02, 2)}
	whole(t, p, m)
	m.ID, m.Topic = 4, fresh()
	p.Publish(m)
	p.Acks(0x50, 4)
	m1 := next(t, w, topic, "x", 2)
	_ = w.Close()
	time.Sleep(2500 * time.Millisecond) // it expires
	p.Ack(0x62, 4)
	p.Acks(0x70, 4)
	w, _ = resume(t, keeping(true, id))
	if again := next(t, w, topic, "x", 2); again.ID != m1.ID || !again.Dup {
		t.Errorf("it came again as %+v", again)
	}
	w.Ack(0x50, m1.ID)
	w.Acks(0x62, m1.ID)
}

func TestFlagsOfPubrel(t *testing.T) {
	shows(t, "v3:MQTT-3.6.1-1", "v3:MQTT-2.2.2-2", "v5:MQTT-3.6.1-1", "v5:MQTT-2.1.3-1")
	both(t, func(t *testing.T, v5 bool) {
		for _, first := range []byte{0x60, 0x61, 0x63, 0x6A} {
			w := client(t, v5)
			w.Publish(rawmqtt.Publish{Topic: fresh(), QoS: 2, ID: 1})
			w.Acks(0x50, 1)
			w.Ack(first, 1)
			violated(t, w, 0x81)
		}
	})
}

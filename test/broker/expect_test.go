package broker

import (
	"bytes"
	"slices"
	"testing"

	"edged/test/rawmqtt"
)

// violated checks that the broker ends a connection for what the client did: without a word in 3.1.1, with a DISCONNECT that can
// be read and carries one of the codes in 5. What it answered to earlier packets may come before. The specification leaves
// the code and the DISCONNECT to the server, so that
// a foreign broker may just close.
func violated(t *testing.T, w *rawmqtt.Client, codes ...byte) {
	t.Helper()
	frames, _ := w.Rest() // a reset is as good an end as any, as long as what was said before could be read
	var last rawmqtt.Frame
	for i, f := range frames {
		if f.Kind == 0xE0 && i < len(frames)-1 {
			t.Errorf("after DISCONNECT there came %v", frames[i+1:])
		}
		last = f
	}
	switch {
	case !w.V5 && last.Kind == 0xE0:
		t.Errorf("a client of 3.1.1 got DISCONNECT %v", last)
	case !w.V5 || foreign():
	case last.Kind != 0xE0 || len(last.Body) == 0 || !slices.Contains(codes, last.Body[0]):
		t.Errorf("want DISCONNECT %X, have %d packets, the last %v", codes, len(frames), last)
	}
	if last.Kind == 0xE0 {
		properties(t, last)
	}
}

// refused sends a CONNECT that must not be accepted. In 5 the answer is a CONNACK with one of the codes; in 3.1.1, where codes are
// given only for what it has codes for, nothing or the code. Then the connection ends.
func refused(t *testing.T, v5 bool, connect []byte, codes ...byte) {
	t.Helper()
	w := dial(t)
	w.V5 = v5
	w.Send(connect)
	frames, _ := w.Rest()
	switch {
	case foreign() && len(frames) == 0:
	case len(codes) == 0:
		if len(frames) > 0 {
			t.Errorf("want the end, have %v", frames)
		}
	case len(frames) != 1 || frames[0].Kind != 0x20 || len(frames[0].Body) < 2:
		t.Errorf("want a CONNACK and the end, have %v", frames)
	case frames[0].Body[0] != 0:
		t.Errorf("a refusal has flags %X", frames[0].Body[0])
	case foreign():
		if frames[0].Body[1] == 0 {
			t.Error("it was accepted")
		}
	case !slices.Contains(codes, frames[0].Body[1]):
		t.Errorf("want CONNACK %X, have %v", codes, frames)
	}
}

// either is 3.1.1's or 5's codes.
func either(v5 bool, v5codes ...byte) []byte {
	if v5 {
		return v5codes
	}
	return nil
}

// properties are a packet's, which must be well formed.
func properties(t *testing.T, f rawmqtt.Frame) rawmqtt.Properties {
	t.Helper()
	ps, _, err := f.Properties()
	if err != nil {
		t.Fatalf("%v: %v", f, err)
	}
	return ps
}

// next reads a message and checks topic, payload and QoS.
func next(t *testing.T, w *rawmqtt.Client, topic, payload string, qos byte) rawmqtt.Message {
	t.Helper()
	m := w.Message()
	if m.Topic != topic || m.Payload != payload || m.QoS != qos {
		t.Fatalf("want %s %q with QoS %d, have %+v", topic, payload, qos, m)
	}
	return m
}

// frame reads a packet that must be this one, byte for byte.
func frame(t *testing.T, w *rawmqtt.Client, kind byte, body ...byte) {
	t.Helper()
	if f := w.Read(); f.Kind != kind || !bytes.Equal(f.Body, body) {
		t.Fatalf("want %02X %X, have %v", kind, body, f)
	}
}

// granted subscribes to one filter and wants a code.
func granted(t *testing.T, w *rawmqtt.Client, filter string, options, code byte) {
	t.Helper()
	if c := w.Subscribe(100, filter, options); c != code {
		t.Fatalf("SUBACK %02X for %q, want %02X", c, filter, code)
	}
}

// publish sends a message with QoS 1 and waits for its PUBACK: it is stored, and on its way to subscribers.
func publish(t *testing.T, w *rawmqtt.Client, m rawmqtt.Publish) {
	t.Helper()
	m.QoS, m.ID = 1, 500
	w.Publish(m)
	w.Acks(0x40, 500)
}

// whole publishes messages of one QoS in one write and goes through their exchanges, each to its end, in their order.
func whole(t *testing.T, w *rawmqtt.Client, ms ...rawmqtt.Publish) {
	t.Helper()
	w.Publish(ms...)
	var ids []uint16
	for _, m := range ms {
		ids = append(ids, m.ID)
	}
	switch ms[0].QoS {
	case 1:
		w.Acks(0x40, ids...)
	case 2:
		w.Acks(0x50, ids...)
		for _, id := range ids {
			w.Ack(0x62, id)
		}
		w.Acks(0x70, ids...)
	}
}

// settled waits until the broker has stored something later: whatever it did with earlier QoS 0 messages, of which it says nothing,
// is done.
func settled(t *testing.T, w *rawmqtt.Client) {
	t.Helper()
	publish(t, w, rawmqtt.Publish{Topic: fresh()})
}

// says publishes one message with QoS 1 as a client of its own.
func says(t *testing.T, m rawmqtt.Publish) {
	t.Helper()
	w := client(t, true)
	publish(t, w, m)
	w.Disconnect()
}

// retained is what the broker keeps for a topic, "" if nothing.
func retained(t *testing.T, topic string) string {
	t.Helper()
	w := client(t, true)
	granted(t, w, topic, 1, 1)
	w.Send([]byte{0xC0, 0})
	f := w.Read()
	if f.Kind == 0xD0 {
		return ""
	}
	m, _ := f.Message()
	if !m.Retain {
		t.Errorf("what was retained has RETAIN 0: %+v", m)
	}
	return m.Payload
}

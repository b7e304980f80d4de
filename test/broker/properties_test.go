package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"edged/test/rawmqtt"
)

// forwarded are all properties of a message that subscribers must get as they were given.
func forwarded() []byte {
	return slices.Concat(rawmqtt.U8(0x01, 1), rawmqtt.Str(0x03, "text/plain"), rawmqtt.Str(0x08, "re/ply"), rawmqtt.Str(0x09, "\x00\xFF\x01"),
		rawmqtt.User("b", "1"), rawmqtt.User("a", "2"), rawmqtt.User("b", "1"), rawmqtt.User("", ""), rawmqtt.User("a", "\uFEFFü"))
}

// same checks that properties are there with the same values, each kind in its order, and no others.
func same(t *testing.T, have, want []byte) {
	t.Helper()
	h, _, err := rawmqtt.Parse(rawmqtt.Props(have))
	w, _, _ := rawmqtt.Parse(rawmqtt.Props(want))
	if err != nil || len(h) != len(w) {
		t.Errorf("%v: have %X, want %X", err, have, want)
	}
	for _, p := range w {
		if !slices.Equal(h.All(p.ID), w.All(p.ID)) {
			t.Errorf("property %02X is %q, want %q", p.ID, h.All(p.ID), w.All(p.ID))
		}
	}
}

func TestPropertiesOfAMessageArriveAsTheyWere(t *testing.T) {
	shows(t, "v5:MQTT-3.3.2-4", "v5:MQTT-3.3.2-15", "v5:MQTT-3.3.2-16", "v5:MQTT-3.3.2-17", "v5:MQTT-3.3.2-18", "v5:MQTT-3.3.2-20")
	topic, id := fresh(), fresh()
	live, away, old := client(t, true), login(t, keeping(true, id)), client(t, false)
	granted(t, live, topic, 2, 2)
	granted(t, away, topic, 2, 2)
	granted(t, old, topic, 0, 0)
	away.Disconnect()
	p := client(t, true)
	for qos := range byte(3) {
		m := rawmqtt.Publish{Topic: topic, Payload: "x", QoS: qos, ID: 1, Retain: true, Props: forwarded()}
		p.Publish(m)
		if qos > 0 {
			f := p.Read()
			if f.ID() != 1 || f.Kind != 0x30+qos<<4 {
				t.Fatal(f)
			}
			if ps := properties(t, f); len(ps.All(0x26)) > 0 {
				t.Errorf("the acknowledgement repeats the message's user properties: %v", f)
			}
			if qos == 2 {
				p.Ack(0x62, 1)
				p.Acks(0x70, 1)
			}
		}
		same(t, []byte(next(t, live, topic, "x", qos).Props), forwarded())
		next(t, old, topic, "x", 0)
	}
	w := client(t, true) // what is retained
	granted(t, w, topic, 2, 2)
	same(t, []byte(next(t, w, topic, "x", 2).Props), forwarded())
	away, _ = resume(t, keeping(true, id)) // what was queued
	for qos := byte(1); qos <= 2; qos++ {
		same(t, []byte(next(t, away, topic, "x", qos).Props), forwarded())
	}
}

func TestPayloadsAreNotLookedAt(t *testing.T) {
	shows(t)
	decided(t)
	w, topic := client(t, true), fresh()
	granted(t, w, topic, 0, 0)
	for _, props := range [][]byte{rawmqtt.U8(1, 1), rawmqtt.U8(1, 0)} {
		publish(t, w, rawmqtt.Publish{Topic: topic + "/other"})
		w.Publish(rawmqtt.Publish{Topic: topic, Payload: "\xFF\x00", Props: props})
		same(t, []byte(next(t, w, topic, "\xFF\x00", 0).Props), props)
	}
}

func TestMessageExpiry(t *testing.T) {
	shows(t, "v5:MQTT-3.3.2-5", "v5:MQTT-3.3.2-6")
	topic, id := fresh(), fresh()
	w := login(t, keeping(true, id))
	granted(t, w, topic, 1, 1)
	w.Disconnect()
	says(t, rawmqtt.Publish{Topic: topic, Payload: "short", Props: rawmqtt.U32(2, 1)})
	says(t, rawmqtt.Publish{Topic: topic, Payload: "long", Props: rawmqtt.U32(2, 100)})
	says(t, rawmqtt.Publish{Topic: topic, Payload: "for ever"})
	time.Sleep(2200 * time.Millisecond)
	w, _ = resume(t, keeping(true, id))
	m := next(t, w, topic, "long", 1)
	ps, _, _ := rawmqtt.Parse(rawmqtt.Props([]byte(m.Props)))
	if n, _ := ps.Int(2); n > 98 || n < 90 {
		t.Errorf("after more than 2 s of 100 there are %d left", n)
	}
	if m := next(t, w, topic, "for ever", 1); m.Props != "" {
		t.Errorf("properties from nowhere: %X", m.Props)
	}
	w.Quiet()
}

func TestNoLocal(t *testing.T) {
	shows(t, "v5:MQTT-3.8.3-3")
	topic, id := fresh(), fresh()
	w, other := login(t, keeping(true, id)), client(t, true)
	granted(t, w, topic, 4|1, 1)
	granted(t, other, topic, 4|1, 1)
	publish(t, w, rawmqtt.Publish{Topic: topic, Payload: "own"})
	next(t, other, topic, "own", 1)
	w.Quiet()
	_ = w.Close()
	w, _ = resume(t, keeping(true, id))
	w.Quiet()
	publish(t, w, rawmqtt.Publish{Topic: topic, Payload: "own again"})
	w.Quiet()
	next(t, other, topic, "own again", 1)
	publish(t, other, rawmqtt.Publish{Topic: topic, Payload: "another's"})
	next(t, w, topic, "another's", 1)
}

func TestPropertiesThatCannotBeInConnect(t *testing.T) {
	shows(t, "v5:MQTT-3.1.4-1", "v5:MQTT-4.13.1-1", "v5:MQTT-4.13.2-1")
	twice := func(p []byte) []byte { return slices.Concat(p, p) }
	for name, c := range map[string][]byte{
		"Receive Maximum 0":           rawmqtt.U16(0x21, 0),
		"Maximum Packet Size 0":       rawmqtt.U32(0x27, 0),
		"session expiry twice":        twice(rawmqtt.U32(0x11, 60)),
		"Receive Maximum twice":       twice(rawmqtt.U16(0x21, 5)),
		"Maximum Packet Size twice":   twice(rawmqtt.U32(0x27, 1000)),
		"Topic Alias Maximum twice":   twice(rawmqtt.U16(0x22, 5)),
		"request response twice":      twice(rawmqtt.U8(0x19, 1)),
		"request problem twice":       twice(rawmqtt.U8(0x17, 1)),
		"request response 2":          rawmqtt.U8(0x19, 2),
		"request problem 2":           rawmqtt.U8(0x17, 2),
		"a property of PUBLISH":       rawmqtt.U16(0x23, 1),
		"a property of CONNACK":       rawmqtt.U8(0x25, 1),
		"a property of wills":         rawmqtt.U32(0x18, 1),
		"no such property":            rawmqtt.U8(0x7F, 1),
		"property 0":                  rawmqtt.U8(0, 1),
		"half a property":             {0x11, 0, 0},
		"a string longer than it has": {0x26, 0, 1, 'a', 0, 9, 'b'},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, true, connection(true, 2, c, str(fresh())), 0x81, 0x82)
		})
	}
	for name, props := range map[string][]byte{"longer than the packet": {0x7F}, "not minimal": {0x80, 0}, "five bytes": {0x80, 0x80, 0x80, 0x80, 1}} {
		t.Run("a length that is "+name, func(t *testing.T) {
			t.Parallel()
			b := append(append(rawmqtt.Text("MQTT"), 5, 2, 0, 60), props...)
			refused(t, true, rawmqtt.Packet(0x10, append(b, rawmqtt.Text(fresh())...)), 0x81, 0x82)
		})
	}
	t.Run("will delay twice", func(t *testing.T) {
		t.Parallel()
		o := rawmqtt.Connect{V5: true, ID: fresh(), Will: fresh(), WillProps: twice(rawmqtt.U32(0x18, 1))}
		refused(t, true, o.Bytes(), 0x81, 0x82)
		o.WillProps = alias(1)
		refused(t, true, o.Bytes(), 0x81, 0x82)
	})
}

func TestPropertiesThatCannotBe(t *testing.T) {
	shows(t, "v5:MQTT-3.3.4-6", "v5:MQTT-3.3.2-14", "v5:MQTT-4.13.1-1")
	topic := fresh()
	pub := func(props ...byte) []byte { return rawmqtt.Publish{Topic: topic, Props: props}.Bytes(true) }
	ack := func(first byte, props []byte) []byte {
		return rawmqtt.Packet(first, append(binary.BigEndian.AppendUint16(nil, 1), append([]byte{0}, rawmqtt.Props(props)...)...))
	}
	twice := func(p []byte) []byte { return bytes.Repeat(p, 2) }
	reason := rawmqtt.Str(0x1F, "because")
	for name, b := range map[string][]byte{
		"a client's subscription identifier": pub(0x0B, 1),
		"expiry twice":                       pub(twice(rawmqtt.U32(2, 5))...),
		"payload format twice":               pub(twice(rawmqtt.U8(1, 1))...),
		"content type twice":                 pub(twice(rawmqtt.Str(3, "x"))...),
		"response topic twice":               pub(twice(rawmqtt.Str(8, "x"))...),
		"correlation data twice":             pub(twice(rawmqtt.Str(9, "x"))...),
		"response topic with +":              pub(rawmqtt.Str(8, "a/+")...),
		"response topic with #":              pub(rawmqtt.Str(8, "#")...),
		"a property of CONNECT":              pub(rawmqtt.U32(0x11, 1)...),
		"no such property":                   pub(0x7F, 1),
		"half a property":                    pub(0x02, 1),
		"SUBSCRIBE with an alias":            rawmqtt.Subscription(true, 1, alias(1), rawmqtt.Filter{Name: topic}),
		"a subscription identifier too long": rawmqtt.Subscription(true, 1, []byte{0x0B, 0x80, 0x80, 0x80, 0x80, 1}, rawmqtt.Filter{Name: topic}),
		"PUBACK with an alias":               ack(0x40, alias(1)),
		"PUBREC with a reason twice":         ack(0x50, twice(reason)),
		"PUBREL with an expiry":              ack(0x62, rawmqtt.U32(2, 1)),
		"PUBCOMP with half a property":       ack(0x70, reason[:4]),
		"DISCONNECT with an alias":           rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(alias(1))...)),
		"DISCONNECT with a reason twice":     rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(twice(reason))...)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := client(t, true)
			w.Send(b)
			violated(t, w, 0x81, 0x82, 0x90)
		})
	}
}

// What a client may say with its acknowledgements changes nothing.
func TestPropertiesThatAreAllowed(t *testing.T) {
	shows(t, "v5:MQTT-3.1.4-5")
	all := slices.Concat(rawmqtt.U32(0x11, 5), rawmqtt.U16(0x21, 5), rawmqtt.U32(0x27, 5000), rawmqtt.U16(0x22, 5), rawmqtt.U8(0x19, 0), rawmqtt.U8(0x17, 1),
		rawmqtt.User("a", "b"), rawmqtt.User("a", "b"))
	w, topic := login(t, rawmqtt.Connect{V5: true, Props: all}), fresh()
	w.Send(rawmqtt.Subscription(true, 1, append([]byte{0x0B, 0xFF, 0xFF, 0xFF, 0x7F}, rawmqtt.User("a", "b")...), rawmqtt.Filter{Name: topic, Options: 1}))
	if f := w.Read(); f.Codes()[0] != 1 {
		t.Fatal(f)
	}
	says(t, rawmqtt.Publish{Topic: topic, Payload: "x"})
	f := w.Read()
	m, _ := f.Message()
	if n, _ := properties(t, f).Int(0x0B); n != 268435455 {
		t.Errorf("subscription identifier %d", n)
	}
	props := rawmqtt.Props(slices.Concat(rawmqtt.Str(0x1F, "fine"), rawmqtt.User("a", "b"), rawmqtt.User("a", "b")))
	w.Send(rawmqtt.Packet(0x40, append([]byte{byte(m.ID >> 8), byte(m.ID), 0}, props...)))
	w.Quiet()
	w.Send(rawmqtt.Packet(0xE0, append([]byte{0}, props...)))
	if frames, _ := w.Rest(); len(frames) > 0 {
		t.Error(fmt.Sprint(frames))
	}
}

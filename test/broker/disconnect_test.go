package broker

import (
	"testing"

	"edged/test/rawmqtt"
)

func TestPing(t *testing.T) {
	shows(t, "v3:MQTT-3.12.4-1", "v5:MQTT-3.12.4-1")
	both(t, func(t *testing.T, v5 bool) {
		w := client(t, v5)
		w.Send([]byte{0xC0, 0, 0xC0, 0, 0xC0, 0})
		for range 3 {
			frame(t, w, 0xD0)
		}
	})
}

func TestFlagsOfDisconnect(t *testing.T) {
	shows(t, "v3:MQTT-3.14.1-1", "v3:MQTT-2.2.2-2", "v5:MQTT-3.14.1-1", "v5:MQTT-2.1.3-1")
	both(t, func(t *testing.T, v5 bool) {
		for _, first := range []byte{0xE1, 0xE2, 0xE8} {
			o := rawmqtt.Connect{V5: v5, Will: fresh(), WillQoS: 1}
			w, sub := dying(t, o)
			w.Send([]byte{first, 0})
			violated(t, w, 0x81)
			next(t, sub, o.Will, "gone", 1) // it was no DISCONNECT
		}
	})
}

func TestReasonsOfDisconnect(t *testing.T) {
	shows(t, "v5:MQTT-3.14.2-1")
	decided(t)
	for _, code := range []byte{0x01, 0x03, 0x7F, 0xFF} {
		w := client(t, true)
		w.Send([]byte{0xE0, 1, code})
		violated(t, w, 0x81, 0x82)
	}
}

func TestNothingAfterDisconnect(t *testing.T) {
	shows(t, "v3:MQTT-3.14.4-3", "v5:MQTT-3.14.4-1", "v5:MQTT-3.14.4-2", "v5:MQTT-4.13.2-1")
	both(t, func(t *testing.T, v5 bool) {
		// A client's: the connection ends, and what comes behind it is not looked at.
		w, topic := client(t, v5), fresh()
		w.Send(append([]byte{0xE0, 0}, rawmqtt.Publish{Topic: topic, Payload: "late", Retain: true}.Bytes(v5)...))
		if frames, _ := w.Rest(); len(frames) > 0 {
			t.Errorf("DISCONNECT was answered with %v", frames)
		}
		// The broker's: neither answers to what follows the mistake nor messages of others come behind it (violated checks that).
		w = client(t, v5)
		granted(t, w, topic, 0, 0)
		p := client(t, v5)
		w.Send(append([]byte{0x36, 0, 0xC0, 0}, rawmqtt.Publish{Topic: topic, Payload: "late", Retain: true}.Bytes(v5)...))
		for range 20 {
			p.Publish(rawmqtt.Publish{Topic: topic, Payload: "x"})
		}
		violated(t, w, 0x81)
		settled(t, p)
		if r := retained(t, topic); r != "" {
			t.Errorf("published by a client that had gone: %q", r)
		}
	})
}

// What a client may never send, or not in this form.
func TestMalformedPackets(t *testing.T) {
	shows(t, "v3:MQTT-2.2.2-1", "v3:MQTT-2.2.2-2", "v3:MQTT-4.8.0-1", "v5:MQTT-2.1.3-1", "v5:MQTT-4.13.1-1")
	both(t, func(t *testing.T, v5 bool) {
		for name, b := range map[string][]byte{
			"type 0":                    {0, 0},
			"CONNACK":                   {0x20, 2, 0, 0},
			"SUBACK":                    {0x90, 3, 0, 1, 0},
			"UNSUBACK":                  {0xB0, 2, 0, 1},
			"PINGRESP":                  {0xD0, 0},
			"PINGREQ with flags":        {0xC2, 0},
			"PINGREQ with a body":       {0xC0, 1, 0},
			"PUBACK with flags":         {0x42, 2, 0, 1},
			"PUBREC with flags":         {0x51, 2, 0, 1},
			"PUBCOMP with flags":        {0x74, 2, 0, 1},
			"half a PUBACK":             {0x40, 1, 0},
			"PUBREL without identifier": {0x62, 0},
			"too much in PUBACK":        {0x40, 8, 0, 1, 0, 0, 0, 0, 0, 0},
			"too much in DISCONNECT":    {0xE0, 4, 0, 0, 0, 0},
			"too much in UNSUBSCRIBE":   rawmqtt.Packet(0xA2, append(rawmqtt.Unsubscribe(v5, 1, "a")[2:], 0)),
			"too much in SUBSCRIBE":     rawmqtt.Packet(0x82, append(rawmqtt.Subscribe(v5, 1, "a", 0)[2:], 0)),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := client(t, v5)
				w.Send(b)
				violated(t, w, 0x81, 0x82)
			})
		}
	})
}

func TestLengths(t *testing.T) {
	shows(t, "v5:MQTT-1.5.5-1", "v5:MQTT-4.13.1-1")
	both(t, func(t *testing.T, v5 bool) {
		for name, b := range map[string][]byte{
			"two bytes for 0":            {0xC0, 0x80, 0},
			"four bytes for 0":           {0xC0, 0x80, 0x80, 0x80, 0},
			"five bytes":                 {0x30, 0x80, 0x80, 0x80, 0x80, 0x01},
			"two bytes for few":          append([]byte{0x82, 0x80 | byte(len(rawmqtt.Subscribe(v5, 1, "a", 0))-2), 0}, rawmqtt.Subscribe(v5, 1, "a", 0)[2:]...),
			"properties, two bytes":      {0x30, 5, 0, 1, 'a', 0x80, 0},
			"properties past the packet": {0x30, 4, 0, 1, 'a', 9},
		} {
			if name[0] == 'p' && !v5 {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := client(t, v5)
				w.Send(b)
				violated(t, w, 0x81, 0x82)
			})
		}
	})
}

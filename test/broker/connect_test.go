package broker

import (
	"bytes"
	"slices"
	"testing"

	"edged/test/rawmqtt"
)

// connection is a CONNECT with whatever flags and payload; props are those of 5.
func connection(v5 bool, flags byte, props []byte, payload ...string) []byte {
	level := byte(4)
	if v5 {
		level = 5
	}
	b := append(rawmqtt.Text("MQTT"), level, flags, 0, 60)
	if v5 {
		b = append(b, rawmqtt.Props(props)...)
	}
	for _, p := range payload {
		b = append(b, p...)
	}
	return rawmqtt.Packet(0x10, b)
}

func str(s string) string { return string(rawmqtt.Text(s)) }

func TestNothingBeforeConnect(t *testing.T) {
	shows(t, "v3:MQTT-3.1.0-1", "v5:MQTT-3.1.0-1", "v5:MQTT-3.14.0-1")
	topic := fresh()
	for _, b := range [][]byte{{0xC0, 0}, {0xE0, 0}, {0xF0, 0}, {0x20, 2, 0, 0}, rawmqtt.Publish{Topic: topic, Payload: "x", Retain: true}.Bytes(false),
		rawmqtt.Subscribe(false, 1, topic, 0)} {
		w := dial(t)
		w.Send(b)
		if frames, _ := w.Rest(); len(frames) > 0 {
			t.Errorf("%X was answered with %v", b, frames)
		}
	}
	settled(t, client(t, true))
	if p := retained(t, topic); p != "" {
		t.Errorf("published without CONNECT: %q", p)
	}
}

func TestSecondConnect(t *testing.T) {
	shows(t, "v3:MQTT-3.1.0-2", "v3:MQTT-4.8.0-1", "v5:MQTT-3.1.0-2", "v5:MQTT-3.2.0-2", "v5:MQTT-4.13.1-1")
	both(t, func(t *testing.T, v5 bool) {
		o := rawmqtt.Connect{V5: v5, ID: fresh()}
		w := login(t, o)
		w.Send(o.Bytes())
		violated(t, w, 0x82)
	})
}

func TestProtocolName(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-1", "v5:MQTT-3.1.2-1")
	both(t, func(t *testing.T, v5 bool) {
		b := connection(v5, 2, nil, str(fresh()))
		refused(t, v5, bytes.Replace(b, []byte("MQTT"), []byte("MQTX"), 1))
		refused(t, v5, bytes.Replace(b, []byte("MQTT"), []byte("mqtt"), 1))
	})
}

func TestProtocolLevel(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-2", "v5:MQTT-3.1.2-2")
	level := func(n byte, v5 bool) []byte {
		b := connection(v5, 2, nil, str(fresh()))
		b[8] = n
		return b
	}
	refused(t, false, level(3, false), 1)
	refused(t, true, level(6, true), 0x84)
	refused(t, true, level(9, true), 0x84)
}

func TestTheOldProtocolIsRefused(t *testing.T) {
	shows(t)
	decided(t)
	refused(t, false, rawmqtt.Packet(0x10, append(rawmqtt.Text("MQIsdp"), append([]byte{3, 2, 0, 60}, rawmqtt.Text(fresh())...)...)), 1)
}

func TestConnectFlags(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-3", "v3:MQTT-3.1.2-9", "v3:MQTT-3.1.2-11", "v3:MQTT-3.1.2-13", "v3:MQTT-3.1.2-14", "v3:MQTT-3.1.2-15",
		"v3:MQTT-3.1.2-18", "v3:MQTT-3.1.2-19", "v3:MQTT-3.1.2-20", "v3:MQTT-3.1.2-21", "v3:MQTT-3.1.2-22", "v3:MQTT-3.1.3-3", "v3:MQTT-3.1.4-1", "v3:MQTT-3.2.2-6",
		"v5:MQTT-3.1.2-3", "v5:MQTT-3.1.2-9", "v5:MQTT-3.1.2-11", "v5:MQTT-3.1.2-12", "v5:MQTT-3.1.2-13", "v5:MQTT-3.1.2-16",
		"v5:MQTT-3.1.2-17", "v5:MQTT-3.1.2-18", "v5:MQTT-3.1.2-19", "v5:MQTT-3.1.3-3", "v5:MQTT-3.1.4-1")
	both(t, func(t *testing.T, v5 bool) {
		will := str("will") + str("gone")
		if v5 {
			will = "\x00" + will
		}
		for name, c := range map[string]struct {
			flags   byte
			payload string // behind the client identifier
		}{
			"reserved":                      {3, ""},
			"will QoS without will":         {2 | 8, ""},
			"will QoS 2 without will":       {2 | 0x10, ""},
			"will retain without will":      {2 | 0x20, ""},
			"will QoS 3":                    {2 | 4 | 0x18, will},
			"will flag without will":        {2 | 4, ""},
			"will without will flag":        {2, will},
			"will topic without message":    {2 | 4, will[:len(will)-6]},
			"user flag without user":        {2 | 0x80, ""},
			"user without user flag":        {2, str("me")},
			"password flag, no password":    {2 | 0xC0, str("me")},
			"password without its flag":     {2 | 0x80, str("me") + str("secret")},
			"a byte too much":               {2, "x"},
			"a string longer than the rest": {2 | 0x80, "\x00\x09me"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				refused(t, v5, connection(v5, c.flags, nil, str(fresh()), c.payload), either(v5, 0x81, 0x82)...)
			})
		}
		refused(t, v5, connection(v5, 2, nil), either(v5, 0x81)...) // without a client identifier
	})
}

func TestAPasswordWithoutAUser(t *testing.T) {
	shows(t, "v3:MQTT-3.1.2-22", "v5:MQTT-3.1.2-19")
	refused(t, false, connection(false, 2|0x40, nil, str(fresh()), str("secret")))
	if w := dial(t); w.Connect(rawmqtt.Connect{V5: true, ID: fresh(), Password: "secret"}).Body[1] != 0 {
		t.Error("5 allows it")
	}
}

func TestAccepted(t *testing.T) {
	shows(t, "v3:MQTT-3.1.4-4", "v3:MQTT-3.2.0-1", "v5:MQTT-3.1.4-5", "v5:MQTT-3.2.0-1", "v5:MQTT-3.2.2-1", "v5:MQTT-3.2.2-8")
	both(t, func(t *testing.T, v5 bool) {
		// What follows CONNECT in the same write waits for its CONNACK.
		w := dial(t)
		w.V5 = v5
		w.Send(append(connection(v5, 2, nil, str(fresh())), 0xC0, 0))
		f := w.Read()
		if f.Kind != 0x20 || f.Body[0] != 0 || f.Body[1] != 0 || !v5 && len(f.Body) != 2 {
			t.Fatalf("CONNACK %v", f)
		}
		properties(t, f)
		frame(t, w, 0xD0)
	})
}

func TestBytesComeInAnyPieces(t *testing.T) {
	shows(t, "v5:MQTT-4.2.0-1")
	both(t, func(t *testing.T, v5 bool) {
		w, topic := dial(t), fresh()
		w.V5 = v5
		all := append(connection(v5, 2, nil, str(fresh())), rawmqtt.Subscribe(v5, 7, topic, 0)...)
		all = append(append(all, rawmqtt.Publish{Topic: topic, Payload: "x"}.Bytes(v5)...), 0xC0, 0)
		for _, b := range all {
			w.Send([]byte{b})
		}
		if f := w.Read(); f.Kind != 0x20 {
			t.Fatal(f)
		}
		if f := w.Read(); f.Kind != 0x90 {
			t.Fatal(f)
		}
		kinds := []byte{w.Read().Kind, w.Read().Kind}
		if slices.Sort(kinds); !bytes.Equal(kinds, []byte{0x30, 0xD0}) {
			t.Errorf("then %X", kinds)
		}
	})
}

func TestRefusedConnectsAreFollowedByNothing(t *testing.T) {
	shows(t, "v3:MQTT-3.1.4-5", "v3:MQTT-3.2.2-4", "v3:MQTT-3.2.2-5", "v5:MQTT-3.1.4-2", "v5:MQTT-3.1.4-6", "v5:MQTT-3.2.2-6", "v5:MQTT-3.2.2-7",
		"v5:MQTT-4.12.0-1", "v5:MQTT-4.13.2-1")
	both(t, func(t *testing.T, v5 bool) {
		topic := fresh()
		b := connection(v5, 0, nil, str("")) // 3.1.1: no identifier and no clean session
		if v5 {
			b = connection(v5, 2, rawmqtt.Str(0x15, "none"), str(fresh()))
		}
		code := byte(2)
		if v5 {
			code = 0x8C
		}
		refused(t, v5, append(b, rawmqtt.Publish{Topic: topic, Payload: "x", Retain: true}.Bytes(v5)...), code)
		settled(t, client(t, true))
		if p := retained(t, topic); p != "" {
			t.Errorf("published by a client that was refused: %q", p)
		}
	})
}

func TestTakeover(t *testing.T) {
	shows(t, "v3:MQTT-3.1.4-2", "v5:MQTT-3.1.4-3")
	both(t, func(t *testing.T, v5 bool) {
		o := rawmqtt.Connect{V5: v5, ID: fresh()}
		first := login(t, o)
		second := login(t, o)
		violated(t, first, 0x8E)
		second.Quiet()
	})
}

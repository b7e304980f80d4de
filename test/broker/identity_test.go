package broker

import (
	"testing"

	"edged/test/rawmqtt"
)

func TestClientIdentifiers(t *testing.T) {
	shows(t, "v3:MQTT-3.1.3-5", "v5:MQTT-3.1.3-5")
	const all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	both(t, func(t *testing.T, v5 bool) {
		one := "a"
		if v5 {
			one = "b"
		}
		login(t, rawmqtt.Connect{V5: v5, ID: one}).Quiet()
		for at := 0; at < len(all); {
			id := fresh()
			n := min(23-len(id), len(all)-at)
			login(t, rawmqtt.Connect{V5: v5, ID: id + all[at:at+n]}).Quiet()
			at += n
		}
	})
}

func TestNoClientIdentifier(t *testing.T) {
	shows(t, "v3:MQTT-3.1.3-6", "v3:MQTT-3.1.3-7", "v3:MQTT-3.1.3-8", "v3:MQTT-3.1.3-9", "v5:MQTT-3.1.3-6", "v5:MQTT-3.2.2-16")
	both(t, func(t *testing.T, v5 bool) {
		names := map[string]bool{}
		var ws []*rawmqtt.Client
		for range 3 {
			w := dial(t)
			ack := w.Connect(rawmqtt.Connect{V5: v5})
			if ack.Body[1] != 0 {
				t.Fatalf("CONNACK %v", ack)
			}
			name := properties(t, ack).Text(0x12)
			if v5 && (name == "" || names[name]) {
				t.Errorf("assigned %q, before %v", name, names)
			}
			names[name] = true
			ws = append(ws, w)
		}
		for _, w := range ws { // nobody took over from another
			w.Quiet()
		}
	})
	refused(t, false, connection(false, 0, nil, str("")), 2)
}

func TestAnAssignedIdentifierIsASessions(t *testing.T) {
	shows(t, "v5:MQTT-3.1.3-7")
	w := dial(t)
	ack := w.Connect(rawmqtt.Connect{V5: true, Props: rawmqtt.U32(0x11, 60)})
	name := properties(t, ack).Text(0x12)
	w.Disconnect()
	if _, present := resume(t, keeping(true, name)); !present {
		t.Errorf("the session of %q is not there", name)
	}
	given := properties(t, dial(t).Connect(rawmqtt.Connect{V5: true, ID: fresh()}))
	if len(given.All(0x12)) > 0 {
		t.Error("a client with an identifier was assigned another")
	}
}

func TestTheIdentifierNamesTheSession(t *testing.T) {
	shows(t, "v3:MQTT-3.1.3-2", "v5:MQTT-3.1.3-2")
	both(t, func(t *testing.T, v5 bool) {
		id := fresh()
		login(t, keeping(v5, id)).Disconnect()
		if _, present := resume(t, keeping(v5, id+"X")); present {
			t.Error("another client got the session")
		}
		if _, present := resume(t, keeping(v5, id)); !present {
			t.Error("the client did not get its session")
		}
	})
}

func TestWhatTheServerTells(t *testing.T) {
	shows(t, "v5:MQTT-3.1.2-28", "v5:MQTT-4.12.0-6", "v5:MQTT-3.2.2-9")
	for _, request := range [][]byte{nil, rawmqtt.U8(0x19, 0), rawmqtt.U8(0x19, 1)} {
		ps := properties(t, dial(t).Connect(rawmqtt.Connect{V5: true, ID: fresh(), Props: request, Keepalive: 30}))
		if len(ps.All(0x15))+len(ps.All(0x16)) > 0 {
			t.Error("authentication in CONNACK without authentication")
		}
		if len(ps.All(0x1A)) > 0 && len(request) == 0 {
			t.Error("response information that nobody asked for")
		}
		for i, p := range ps {
			for _, q := range ps[i+1:] {
				if p.ID == q.ID && p.ID != 0x26 {
					t.Errorf("property %02X comes twice", p.ID)
				}
			}
		}
		if foreign() {
			continue
		}
		for id, want := range map[byte]int{0x21: 256, 0x22: 16, 0x27: 256 << 10} {
			if n, _ := ps.Int(id); n != want {
				t.Errorf("property %02X is %d, want %d", id, n, want)
			}
		}
		for _, id := range []byte{0x24, 0x25, 0x28, 0x29, 0x2A} { // Maximum QoS and what is available
			if n, ok := ps.Int(id); ok && n != 1 || ok && id == 0x24 {
				t.Errorf("property %02X says %d: everything is available", id, n)
			}
		}
		if len(ps.All(0x1A)) > 0 {
			t.Error("response information is not offered")
		}
	}
}

func TestAuthenticationIsRefused(t *testing.T) {
	shows(t, "v5:MQTT-4.12.0-1", "v5:MQTT-4.12.0-4", "v5:MQTT-3.2.2-7")
	refused(t, true, rawmqtt.Connect{V5: true, ID: fresh(), Props: rawmqtt.Str(0x15, "SCRAM-SHA-1")}.Bytes(), 0x8C)
	refused(t, true, rawmqtt.Connect{V5: true, ID: fresh(), Props: rawmqtt.Str(0x16, "data")}.Bytes(), 0x82)
}

func TestAuthWithoutAMethod(t *testing.T) {
	shows(t, "v5:MQTT-4.12.0-7", "v5:MQTT-3.15.1-1")
	for _, b := range [][]byte{{0xF0, 0}, {0xF0, 2, 0x18, 0}, append([]byte{0xF0, 9, 0x19, 7}, rawmqtt.Str(0x15, "none")...)} {
		w := client(t, true)
		w.Send(b)
		violated(t, w, 0x82)
	}
	w := client(t, true)
	w.Send([]byte{0xF1, 0})
	violated(t, w, 0x81)
	w = client(t, false) // in 3.1.1 the type is reserved
	w.Send([]byte{0xF0, 0})
	violated(t, w)
}

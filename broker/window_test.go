package broker

import (
	"fmt"
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// A client can acknowledge after a reconnect what it got before it, in whatever order; what it has acknowledged is not repeated,
// and takes nothing of its window.
func TestAnAcknowledgementBeforeTheRepeat(t *testing.T) {
	s := start(t, setup{})
	o := rawmqtt.Connect{ID: "c", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100)}
	w, _ := rawmqtt.Login(t, s.addr, o)
	w.Subscribe(1, "a", 1)
	s.fill(t, "a", 4, 1)
	var ids []uint16
	for range 4 {
		ids = append(ids, w.Message().ID)
	}
	w.Disconnect()
	o.Props = append(o.Props, rawmqtt.U16(0x21, 1)...) // a window of 1
	w, _ = rawmqtt.Login(t, s.addr, o)
	if m := w.Message(); m.ID != ids[0] || !m.Dup {
		t.Fatalf("%+v", m)
	}
	w.Ack(0x40, ids[1])
	w.Quiet() // the window is still full
	w.Ack(0x40, ids[0])
	for _, id := range ids[2:] {
		if m := w.Message(); m.ID != id || !m.Dup {
			t.Fatalf("%+v", m)
		}
		w.Quiet()
		w.Ack(0x40, id)
	}
	w.Quiet()
	s.fill(t, "a", 2, 1)
	for range 2 {
		m := w.Message()
		if m.Dup {
			t.Errorf("%+v", m)
		}
		w.Quiet()
		w.Ack(0x40, m.ID)
	}
	w.Quiet()
	if n := s.queued("c"); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// What is larger than a client takes is counted, and is not in the way of the next message.
func TestWhatIsTooLargeForAClientIsSkipped(t *testing.T) {
	s := start(t, setup{})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true, Props: append(rawmqtt.U32(0x27, 200), rawmqtt.U16(0x21, 1)...)})
	w.Subscribe(1, "a", 2)
	for i, payload := range []string{"first", "large", "next", "large", "last"} {
		text := strings.Repeat(payload, map[string]int{"large": 100}[payload]+1)
		if err := s.Publish(t.Context(), "a", []byte(text), byte(i%2+1), false); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"first", "next", "last"} {
		m := w.Message()
		if m.Payload != want || m.QoS != 1 {
			t.Fatalf("%+v", m)
		}
		w.Ack(0x40, m.ID)
	}
	if err := s.Publish(t.Context(), "a", []byte(strings.Repeat("x", 200)), 0, false); err != nil {
		t.Fatal(err)
	}
	w.Quiet()
	if n, c := s.met.tooLarge.Get(), s.Clients()[0]; n != 3 || c.Dropped != 3 || c.Unacked != 0 || c.Queued != 0 {
		t.Errorf("%d are counted; %+v", n, c)
	}
	if n := s.Broker.queued.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}

// Of a group those get messages who can take them at once: not those who are away, and not those whose window is full.
func TestReadyMembersOfAGroupArePreferred(t *testing.T) {
	const n = 50
	s := start(t, setup{cfg: func(c *Config) { c.MaxInflight = n }})
	s.leaves(t, "away", "$share/g/a")
	full, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "full", V5: true, Props: rawmqtt.U16(0x21, 1)})
	full.Subscribe(1, "$share/g/a", 1)
	s.fill(t, "a", 2, 1) // one is sent, one waits
	ready, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "ready", V5: true})
	ready.Subscribe(1, "$share/g/a", 1)
	s.fill(t, "a", n, 1)
	for id, want := range map[string]int{"away": 0, "full": 2, "ready": n} {
		if have := s.queued(id); have != want {
			t.Errorf("%s has %d, want %d", id, have, want)
		}
	}
}

// When there are too many sessions, the one that is away longest ends.
func TestTheOldestSessionMakesRoom(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxConnections = 4 }})
	for i := range 8 {
		s.leaves(t, fmt.Sprint(i), "a")
	}
	s.leaves(t, "0", "a") // it was back: now 1 is the oldest
	for i, gone := range []string{"1", "2", "3", "4", "5", "6", "7", "0"} {
		s.leaves(t, fmt.Sprint("new ", i), "a")
		if s.sessions.get(gone) != nil {
			t.Fatalf("%s is still there", gone)
		}
		if _, away := s.sessions.count(); away != 8 {
			t.Fatalf("%d sessions are left", away)
		}
	}
}

// A DISCONNECT can make a session live longer, but not longer than session_expiry, and not if its CONNECT asked for none.
func TestADisconnectCannotKeepASessionForEver(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.SessionExpiry = 100e9 }})
	goodbye := func(seconds uint32) []byte {
		return rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(rawmqtt.U32(0x11, seconds))...))
	}
	for seconds, want := range map[uint32]string{50: "50s", 1000: "1m40s", 0xFFFFFFFF: "1m40s"} {
		w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true, Props: rawmqtt.U32(0x11, 10)})
		w.Send(goodbye(seconds))
		w.Ended()
		await.Soon(t, "it is away", func() bool { c := s.Clients(); return len(c) == 1 && !c[0].Connected })
		if c := s.Clients()[0]; c.KeptFor != want {
			t.Errorf("%d: kept for %s, want %s", seconds, c.KeptFor, want)
		}
	}
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true})
	w.Send(goodbye(50))
	if code := w.Ended(); code != 0x82 {
		t.Errorf("DISCONNECT %02X", code)
	}
	await.Soon(t, "its session has ended", func() bool { return len(s.Clients()) == 0 })
}

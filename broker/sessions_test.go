package broker

import (
	"fmt"
	"testing"
	"time"

	"edged/internal/conf"
	"edged/test/await"
	"edged/test/rawmqtt"
)

func TestQueuedMessagesComeInOrderAndWithDupOnlyIfSentBefore(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprint("v5 ", v5), func(t *testing.T) {
			s := start(t, setup{})
			o := rawmqtt.Connect{ID: "sub", V5: v5, Keep: true, Props: append(rawmqtt.U32(0x11, 100), rawmqtt.U16(0x21, 10)...)}
			w, _ := connect(t, s, o)
			w.Subscribe(1, "a", 1)
			n := 0
			send := func(k int) {
				for range k {
					if err := s.Publish(t.Context(), "a", []byte(fmt.Sprint(n)), 1, false); err != nil {
						t.Fatal(err)
					}
					n++
				}
			}
			send(3)
			for range 3 {
				w.Message() // not acknowledged
			}
			_ = w.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			send(97)
			await.Soon(t, "all are queued", func() bool { return s.queued("sub") == 100 })
			w, present := connect(t, s, o)
			if !present {
				t.Fatal("no session")
			}
			send(1) // behind the queue
			for i := range 101 {
				m := w.Message()
				if m.Payload != fmt.Sprint(i) || m.Dup != (i < 3) {
					t.Fatalf("message %d: %+v", i, m)
				}
				w.Ack(0x40, m.ID)
			}
			w.Quiet()
		})
	}
}

// queued is the number of deliveries that a session has not acknowledged.
func (s *server) queued(id string) int {
	o := &s.sessions.get(id).out
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.flights) + o.waiting.len()
}

func TestTheQueueOfASubscriberIsBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedMessages = 5 }})
	o := rawmqtt.Connect{ID: "sub", Keep: true}
	w, _ := connect(t, s, o)
	w.Subscribe(1, "a", 1)
	w.Disconnect()
	for i := range 8 {
		if err := s.Publish(t.Context(), "a", []byte(fmt.Sprint(i)), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "three are dropped", func() bool { return s.met.queueFull.Get() == 3 })
	w, _ = connect(t, s, o)
	for i := range 5 {
		if m := w.Message(); m.Payload != fmt.Sprint(i) {
			t.Fatalf("%d: %+v", i, m)
		}
	}
	w.Quiet()
}

// A client that connects again and again with one id must be served by its newest connection, whatever the old ones' ends
// do meanwhile. The library loses it within a few rounds.
func TestTheNewestConnectionOfAClientIsServed(t *testing.T) {
	for _, o := range []rawmqtt.Connect{{ID: "c"}, {ID: "c", Keep: true}, {ID: "c", V5: true}, {ID: "c", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100)}} {
		t.Run(fmt.Sprintf("v5 %t keep %t", o.V5, o.Keep), func(t *testing.T) {
			s := start(t, setup{})
			for i := range 200 {
				w, present := connect(t, s, o)
				if present != (o.Keep && i > 0) {
					t.Fatalf("round %d: session present %t", i, present)
				}
				if !present {
					w.Subscribe(1, "a", 1)
				}
				if err := s.Publish(t.Context(), "a", []byte(fmt.Sprint(i)), 1, false); err != nil {
					t.Fatal(err)
				}
				if m := w.Message(); m.Payload != fmt.Sprint(i) {
					t.Fatalf("round %d: %+v", i, m)
				} else {
					w.Ack(0x40, m.ID)
				}
				w.Quiet()
				if i%3 == 0 {
					_ = w.Close() // the next connection races with the end of this one
				}
			}
			if st := s.Status(); st.Subscriptions != 1 {
				t.Fatalf("%+v", st)
			}
		})
	}
}

// Messages published while a session changes hands are neither lost nor out of order.
func TestNothingIsLostWhileASessionIsTakenOver(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedMessages = 60000 }})
	o := rawmqtt.Connect{ID: "sub", Keep: true}
	w, _ := connect(t, s, o)
	w.Subscribe(1, "a", 1)
	const n = 1000
	go func() {
		for i := range n {
			if err := s.Publish(t.Context(), "a", []byte(fmt.Sprint(i)), 1, false); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	next := 0
	for round := 0; next < n; round++ {
		for range 20 + round%50 {
			f, err := w.TryRead(patient)
			if err != nil {
				t.Fatalf("after %d: %v", next, err)
			}
			m := published(t, f)
			var i int
			_, _ = fmt.Sscan(m.Payload, &i)
			if i > next || i < next && !m.Dup {
				t.Fatalf("want %d, have %+v", next, m)
			}
			next = max(next, i+1)
			w.Ack(0x40, m.ID)
			if next == n {
				break
			}
		}
		if next < n {
			w, _ = connect(t, s, o) // takes over
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	s := start(t, setup{cfg: func(c *Config) { c.SessionExpiry = conf.Duration(time.Second) }})
	for _, o := range []rawmqtt.Connect{
		{ID: "three", Keep: true},
		{ID: "five", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 1)},
		{ID: "capped", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 1<<32-1)},
	} {
		w, _ := connect(t, s, o)
		w.Subscribe(1, "a", 1)
		w.Disconnect()
		if _, present := connect(t, s, o); !present {
			t.Fatalf("%s: gone too soon", o.ID)
		}
	}
	for _, o := range []rawmqtt.Connect{{ID: "clean"}, {ID: "zero", V5: true, Keep: true}} {
		w, _ := connect(t, s, o)
		w.Subscribe(1, "a", 1)
		w.Disconnect()
		if _, present := connect(t, s, o); present {
			t.Fatalf("%s: kept", o.ID)
		}
	}
	s.conns.mu.Lock()
	for _, c := range s.conns.all {
		c.close()
	}
	s.conns.mu.Unlock()
	await.Soon(t, "all sessions end", func() bool { st := s.Status(); return st.Sessions == 0 && st.Clients == 0 && st.SessionsEnded == 3 })
	if st := s.Status(); st.Subscriptions != 0 {
		t.Fatalf("something is left of them: %+v", st)
	}
	if s.routes.of("a").wanted() {
		t.Fatal("somebody still subscribes")
	}
}

func TestADisconnectCanChangeTheSessionsLife(t *testing.T) {
	s := start(t, setup{})
	o := rawmqtt.Connect{ID: "c", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100)}
	bye := func(seconds uint32) []byte {
		return rawmqtt.Packet(0xE0, append([]byte{0}, rawmqtt.Props(rawmqtt.U32(0x11, seconds))...))
	}
	w, _ := connect(t, s, o)
	w.Send(bye(0))
	w.Ended()
	await.Soon(t, "the session ends with its connection", func() bool { st := s.Status(); return st.Clients+st.Sessions == 0 })
	o.Props = nil
	w, _ = connect(t, s, o)
	w.Send(bye(100))
	if code := w.Ended(); code != 0x82 {
		t.Fatalf("DISCONNECT %02X [MQTT-3.14.2-2]", code)
	}
}

func TestConnectionsAndSessionsAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxConnections = 2 }})
	a, _ := connect(t, s, rawmqtt.Connect{ID: "a", Keep: true})
	connect(t, s, rawmqtt.Connect{ID: "b", Keep: true})
	three := dial(t, s)
	if ack := three.Connect(rawmqtt.Connect{ID: "c"}); ack.Body[1] != 3 {
		t.Fatal(ack)
	}
	five := dial(t, s)
	if ack := five.Connect(rawmqtt.Connect{ID: "c", V5: true}); ack.Body[1] != 0x89 {
		t.Fatal(ack)
	}
	await.Soon(t, "it is counted", func() bool { return s.Status().ConnsRefused == 2 })
	again, _ := connect(t, s, rawmqtt.Connect{ID: "a", Keep: true}) // a client that comes back takes its own place
	a.Ended()
	a = again
	a.Disconnect()
	await.Soon(t, "there is room again", func() bool { return s.Status().Clients == 1 })
	for _, id := range []string{"c", "d", "e"} { // four sessions are kept: a ends
		w, _ := connect(t, s, rawmqtt.Connect{ID: id, Keep: true})
		w.Disconnect()
		await.Soon(t, "there is room again", func() bool { return s.Status().Clients == 1 })
	}
	if st := s.Status(); st.Sessions != 3 || st.SessionsEnded != 1 {
		t.Fatalf("%+v", st)
	}
	if _, present := connect(t, s, rawmqtt.Connect{ID: "a", Keep: true}); present {
		t.Fatal("the session that was away longest is still there")
	}
}

// A subscriber that never finishes QoS 2 uses its packet identifiers up: then it gets nothing more, and nobody else notices.
func TestPacketIdentifiersCanRunOut(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedMessages = 100_000 }})
	o := rawmqtt.Connect{ID: "sub", Keep: true}
	w, _ := connect(t, s, o)
	w.Subscribe(1, "a", 2)
	out := &s.sessions.get("sub").out
	out.mu.Lock()
	out.flights = map[uint16]*flight{}
	for id := 1; id < 1<<16; id++ {
		out.flights[uint16(id)] = &flight{id: uint16(id), released: true, letter: letter{qos: 2}}
	}
	out.mu.Unlock()
	if err := s.Publish(t.Context(), "a", []byte("x"), 2, false); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "it is queued", func() bool { return s.queued("sub") == 1<<16 })
	w.Quiet()
	w.Ack(0x70, 4711)
	if m := w.Message(); m.ID != 4711 {
		t.Fatalf("%+v", m)
	}
}

package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// TestSessionsSurviveACrash: an offline subscriber gets what was acknowledged, whatever its QoS.
func TestSessionsSurviveACrash(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			b := newBook(nil)
			s := kept(t, b, true, nil)
			o := rawmqtt.Connect{ID: "sub", Keep: true}
			w, _ := connect(t, s, o)
			w.Subscribe(1, "a", qos)
			w.Disconnect()
			p, _ := connect(t, s, rawmqtt.Connect{ID: "pub", Keep: true})
			for i := range uint16(5) {
				p.Publish(rawmqtt.Publish{Topic: "a", QoS: qos, ID: i + 1, Payload: fmt.Sprint(i)})
				p.Acks(map[byte]byte{1: 0x40, 2: 0x50}[qos], i+1)
			}
			s, b = crashed(t, s, b, true, nil)
			w, present := connect(t, s, o)
			if !present {
				t.Fatal("no session")
			}
			c := &subscriber{id: "sub", w: w, have: map[uint16]string{}}
			await.Soon(t, "all five come", func() bool { c.read(t); c.answer(100); return len(c.got) == 5 })
			if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(c.got, want) {
				t.Fatalf("got %q", c.got)
			}
			s.still(t, b)
		})
	}
}

var (
	away1 = rawmqtt.Connect{ID: "c1", Keep: true}
	away2 = rawmqtt.Connect{ID: "c2", Keep: true}
)

// all reads and acknowledges until nothing comes any more.
func (c *subscriber) all(t *testing.T, s *server, b *book) []string {
	t.Helper()
	await.Soon(t, "all has come", func() bool {
		c.read(t)
		c.answer(1 << 30)
		c.read(t)
		return len(c.acks) == 0 && s.queued(c.id) == 0
	})
	s.still(t, b)
	return c.got
}

func back(t *testing.T, s *server, o rawmqtt.Connect) *subscriber {
	t.Helper()
	c := &subscriber{id: o.ID, sub: true}
	c.connect(t, s)
	return c
}

// TestSessionsSurviveShared: each message of a shared subscription is given to one member, before and after a crash, whoever of them joined last.
func TestSessionsSurviveShared(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			b := newBook(nil)
			s := kept(t, b, true, nil)
			for _, o := range []rawmqtt.Connect{away1, away2} {
				w, _ := connect(t, s, o)
				w.Subscribe(1, "$share/g/a", qos)
				w.Disconnect()
			}
			var want []string
			for i := range 10 {
				want = append(want, fmt.Sprint(i))
				if err := s.Publish(t.Context(), "a", []byte(want[i]), 2, false); err != nil {
					t.Fatal(err)
				}
				if i == 4 {
					s.still(t, b)
					w, _ := connect(t, s, rawmqtt.Connect{ID: "c0", Keep: true}) // a commit with which the marks pass some of them
					w.Subscribe(1, "$share/g/a", qos)
					w.Disconnect()
				}
			}
			s.still(t, b)
			s, b = crashed(t, s, b, true, nil)
			var got []string
			for _, o := range []rawmqtt.Connect{away1, away2, {ID: "c0", Keep: true}} {
				got = append(got, back(t, s, o).all(t, s, b)...)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A client can have a subscription of its own and a share of another to the same topic: two deliveries of one message, each with a half of its own.
func TestSessionsSurviveAShareBesides(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, true, nil)
	w, _ := connect(t, s, away1)
	w.Subscribe(1, "a", 2)
	w.Subscribe(1, "$share/g/a", 2)
	if err := s.Publish(t.Context(), "a", []byte("m"), 2, false); err != nil {
		t.Fatal(err)
	}
	first, second := w.Message(), w.Message()
	w.Ack(0x50, first.ID)
	w.Acks(0x62, first.ID)
	w.Ack(0x70, first.ID)
	w.Quiet()
	s.still(t, b)
	s, b = crashed(t, s, b, true, nil)
	w, _ = connect(t, s, away1)
	var again rawmqtt.Message
	for again.ID == 0 { // PUBREL of the first comes again
		f := w.Read()
		if f.Kind == 0x62 {
			w.Ack(0x70, f.ID())
			continue
		}
		again = published(t, f)
	}
	if again.ID != second.ID || !again.Dup {
		t.Errorf("%+v, after %+v", again, second)
	}
	w.Ack(0x50, again.ID)
	w.Acks(0x62, again.ID)
	w.Ack(0x70, again.ID)
	w.Quiet()
	s.still(t, b)
}

// TestSessionsSurviveRetained: what a new subscription is owed of the retained messages is owed after a crash, too.
func TestSessionsSurviveRetained(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, true, nil)
	if err := s.Publish(t.Context(), "a", []byte("kept"), 1, true); err != nil {
		t.Fatal(err)
	}
	w, _ := connect(t, s, away1)
	w.Subscribe(1, "a", 1)
	if m := w.Message(); !m.Retain {
		t.Fatal(m)
	}
	x, _ := connect(t, s, away2)
	x.Subscribe(1, "b", 1) // a commit comes
	if n := b.size("queues"); n != 1 {
		t.Errorf("%d letters are written down", n)
	}
	s, b = crashed(t, s, b, true, nil)
	if c := back(t, s, away1); !slices.Equal(c.all(t, s, b), []string{"kept"}) {
		t.Errorf("got %q", c.got)
	}
	if _, b = crashed(t, s, b, true, nil); b.size("queues") > 1 {
		t.Errorf("%d letters are left", b.size("queues"))
	}
}

// A subscription that there is no room for is refused, and the one that it was to replace stays: in memory as on disk.
func TestRefusedSubscriptionLeavesTheOneBefore(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, true, nil)
	w, _ := connect(t, s, away1)
	w.Subscribe(1, "a", 2)
	b.full.Store(true)
	if code := w.Subscribe(2, "a", 1); code != 0x80 {
		t.Fatalf("code %02X", code)
	}
	if code := w.Subscribe(3, "b", 1); code != 0x80 {
		t.Fatalf("code %02X", code)
	}
	b.full.Store(false)
	for range 2 {
		for _, topic := range []string{"a", "b"} {
			if err := s.Publish(t.Context(), topic, []byte(topic), 2, false); err != nil {
				t.Fatal(err)
			}
		}
		s.still(t, b)
		m := w.Message()
		if m.Topic != "a" || m.QoS != 2 {
			t.Errorf("%+v", m)
		}
		w.Quiet()
		s, b = crashed(t, s, b, true, nil)
		w, _ = connect(t, s, away1)
		w.Message()
	}
}

// What a session has left on disk goes with it, and does not come back in the next one of the client.
func TestEndedSessionsLeaveNothing(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, true, nil)
	w, _ := connect(t, s, away1)
	w.Subscribe(1, "a", 2)
	w.Publish(rawmqtt.Publish{Topic: "a", QoS: 2, ID: 5})
	for range 2 {
		w.Read() // PUBLISH and PUBREC
	}
	s.still(t, b)
	w, present := connect(t, s, rawmqtt.Connect{ID: "c1"})
	if present {
		t.Fatal("a clean session was there")
	}
	w.Disconnect()
	await.Soon(t, "nothing is left", func() bool {
		n := 0
		for _, space := range sessionSpaces {
			n += b.size(space)
		}
		return n == 0
	})
	if c, _ := b.Cursor("sessions"); len(c.Need) > 0 {
		t.Errorf("the log is held: %v", c.Need)
	}
}

// What was never subscribed, and could not be since its key is too long for the store, is not asked of the store either: the client is answered,
// and goes on.
func TestUnsubscribingWhatNeverWas(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, true, nil)
	w, _ := connect(t, s, away1)
	w.Subscribe(1, "a", 1)
	long := strings.Repeat("x", longestKey)
	if code := w.Subscribe(2, long, 1); code != 0x80 {
		t.Fatalf("code %02X for a filter that the store has no place for", code)
	}
	w.Send(rawmqtt.Unsubscription(false, 3, long, "a"))
	w.Acks(0xB0, 3)
	w.Publish(rawmqtt.Publish{Topic: "a", QoS: 1, ID: 4})
	w.Acks(0x40, 4)
	w.Quiet()
	if _, b = crashed(t, s, b, true, nil); b.size("subscriptions") > 0 {
		t.Errorf("%d subscriptions are left", b.size("subscriptions"))
	}
}

// What is written of QoS 1 is as old as the last ride, and its identifier may have been another delivery's since: the message is owed again then, but
// the mark does not go back to its place, behind which deliveries with QoS 2 have ended and were forgotten.
func TestTheMarkDoesNotGoBackToAnOldMessage(t *testing.T) {
	b := newBook(nil)
	s := kept(t, b, true, nil)
	n := 0
	ride := func() {
		n++
		s.keeping.soon.Store(true)
		other, _ := connect(t, s, rawmqtt.Connect{ID: "other", Keep: true})
		other.Subscribe(1, fmt.Sprint("n/", n), 1)
		other.Disconnect()
		s.still(t, b)
	}
	still := func() { // nothing rides but when it is asked for
		s.keeping.mu.Lock()
		defer s.keeping.mu.Unlock()
		s.keeping.every = time.Hour
	}
	publish := func(payload string, qos byte) {
		if err := s.Publish(t.Context(), "a", []byte(payload), qos, false); err != nil {
			t.Fatal(err)
		}
		s.still(t, b)
	}
	still()
	w, _ := connect(t, s, away1)
	w.Subscribe(1, "a", 2)
	publish("one", 1)
	publish("two", 2)
	one, two := w.Message(), w.Message()
	w.Ack(0x50, two.ID)
	w.Acks(0x62, two.ID)
	w.Ack(0x70, two.ID)
	under := func(flights int) {
		await.Soon(t, "the delivery has ended", func() bool {
			o := &s.sessions.get("c1").out
			o.mu.Lock()
			defer o.mu.Unlock()
			return len(o.flights) == flights
		})
	}
	under(1)
	ride()
	ride()
	s, b = crashed(t, s, b, true, nil)
	still()
	w, _ = connect(t, s, away1)
	if m := w.Message(); m.ID != one.ID || !m.Dup {
		t.Fatalf("%+v", m)
	}
	ride()
	w.Ack(0x40, one.ID)
	under(0)
	publish("three", 2)
	if m := w.Message(); m.Payload != "three" || m.ID != one.ID {
		t.Fatalf("%+v: the test shows nothing", m)
	}
	s, b = crashed(t, s, b, true, nil)
	still()
	ride()
	ride()
	s, b = crashed(t, s, b, true, nil)
	w, _ = connect(t, s, away1)
	var got []string
	for range 2 {
		got = append(got, w.Message().Payload)
	}
	w.Quiet()
	if slices.Sort(got); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("got %q", got)
	}
}

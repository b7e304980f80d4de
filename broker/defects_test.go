package broker

import (
	"fmt"
	"strings"
	"testing"

	"edged/test/await"
)

// The tests here and in limits_test.go show that faults of the library do not reach our clients.

// Fault: a subscriber that sends Receive Maximum hangs the library, and everyone who publishes to it.
func TestASubscriberWithReceiveMaximumHangsNobody(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, opts{id: "sub", v5: true, props: u16(0x21, 2)})
	sub.subscribe(1, "site/#", 1)
	pub, _ := connect(t, s, opts{id: "pub", v5: true})
	const n = 5000
	go func() {
		for i := range n {
			_, _ = pub.Write(pub.publishPacket(p{topic: "site/1", qos: 1, id: uint16(i%100 + 1), payload: fmt.Sprint(i)}))
			if i >= 99 {
				if _, err := pub.tryRead(patient); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	unacked := []uint16{}
	for i := range min(n, s.cfg.MaxQueuedMessages) {
		m := sub.message()
		if m.payload != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.payload)
		}
		if unacked = append(unacked, m.id); len(unacked) == 2 {
			for _, id := range unacked {
				sub.ack(0x40, id)
			}
			unacked = nil
		}
	}
	await.Soon(t, "all are published", func() bool { return r.count() == n })
}

// The library would stop obeying Receive Maximum where the deadlock is worked around; the window obeys it.
func TestTheSubscribersReceiveMaximumIsObeyed(t *testing.T) {
	s := start(t, setup{})
	sub, _ := connect(t, s, opts{id: "sub", v5: true, props: u16(0x21, 3)})
	sub.subscribe(1, "a/#", 2)
	for i := range 9 {
		if err := s.Publish(t.Context(), "a/b", []byte(fmt.Sprint(i)), byte(1+i%2), false); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	expect := func(n int) (ids []uint16) {
		t.Helper()
		for range n {
			m := sub.message()
			if m.payload != fmt.Sprint(next) || m.dup {
				t.Fatalf("want %d, have %+v", next, m)
			}
			next++
			ids = append(ids, m.id)
		}
		return ids
	}
	ids := expect(3) // 1, 2, 1
	sub.quiet()
	sub.ack(0x40, ids[0])
	ids = append(ids[1:], expect(1)...)
	sub.ack(0x50, ids[0]) // PUBREC gives no place free
	sub.acks(0x62, ids[0])
	sub.quiet()
	sub.ack(0x70, ids[0])
	ids = append(ids[1:], expect(1)...)
	sub.send([]byte{0x50, 3, byte(ids[1] >> 8), byte(ids[1]), 0x80}) // PUBREC with an error does
	expect(1)
	sub.quiet()
}

// Fault: packet identifiers of both directions share a map.
func TestPacketIdentifiersOfTheTwoDirectionsDoNotMeet(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			r := commits(t)
			s := start(t, setup{attach: handlers(r)})
			o := opts{id: "c", keep: true}
			w, _ := connect(t, s, o)
			w.subscribe(1, "down", qos)
			if err := s.Publish(t.Context(), "down", []byte("d"), qos, false); err != nil {
				t.Fatal(err)
			}
			down := w.message()
			// Publishes and (un)subscriptions with the identifier of the delivery that is not acknowledged.
			w.publish(p{topic: "site/1", qos: 1, id: down.id})
			w.acks(0x40, down.id)
			w.publish(p{topic: "site/1", qos: 2, id: down.id})
			w.acks(0x50, down.id)
			if code := w.subscribe(down.id, "other", 1); code != 1 {
				t.Fatalf("SUBACK %02X", code)
			}
			w.send(packet(0xA2, append([]byte{0, byte(down.id)}, text("other")...)))
			w.acks(0xB0, down.id)
			// The delivery is still there: it comes again, and its acknowledgement ends it.
			_ = w.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			w, _ = connect(t, s, o)
			again := w.message()
			if !again.dup || again.id != down.id || again.payload != "d" {
				t.Fatalf("%+v", again)
			}
			if qos == 1 {
				w.ack(0x40, down.id)
			} else {
				w.ack(0x50, down.id)
				w.acks(0x62, down.id)
				w.ack(0x70, down.id)
			}
			// The half-finished inbound QoS 2 with the same identifier is not disturbed by that.
			w.publish(p{topic: "site/1", qos: 2, id: down.id, dup: true})
			w.acks(0x50, down.id)
			w.ack(0x62, down.id)
			w.acks(0x70, down.id)
			w.disconnect()
			w, _ = connect(t, s, o)
			w.quiet()
			r.has(t, 2)
		})
	}
}

// Fault: defaults.
func TestWhatTheClientIsTold(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.SessionExpiry = 50e9 }})
	w := dial(t, s)
	ack := w.connect(opts{id: "c", v5: true, props: u32(0x11, 1000)})
	told := string(ack.body)
	for name, want := range map[string][]byte{
		"Receive Maximum 256":         u16(0x21, 256),
		"Maximum Packet Size 256 KiB": u32(0x27, 256<<10),
		"Topic Alias Maximum 16":      u16(0x22, 16),
		"Session Expiry 50 s":         u32(0x11, 50),
		"Server Keep Alive 1 h":       u16(0x13, 3600),
	} {
		if !strings.Contains(told, string(want)) {
			t.Errorf("CONNACK does not say %s: %X", name, ack.body)
		}
	}
}

func TestNothingIsAddedToMessagesAndAcknowledgements(t *testing.T) {
	s := start(t, setup{})
	w, _ := connect(t, s, opts{id: "c", v5: true})
	w.subscribe(1, "a", 1)
	user := append(append([]byte{0x26}, text("k")...), text("v")...)
	w.publish(p{topic: "a", qos: 1, id: 9, props: user})
	ack, m := w.read(), w.read()
	if ack.kind == 0x30 {
		ack, m = m, ack
	}
	if ack.kind != 0x40 || len(ack.body) != 2 {
		t.Errorf("PUBACK with properties: %v", ack)
	}
	if g := m.publish(t); g.props != string(user) {
		t.Errorf("properties %X, want %X: no expiry, no alias", g.props, user)
	}
}

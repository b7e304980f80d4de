package broker

import (
	"fmt"
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// The tests here and in limits_test.go show that faults of the library do not reach our clients.

// Fault: a subscriber that sends Receive Maximum hangs the library, and everyone who publishes to it.
func TestASubscriberWithReceiveMaximumHangsNobody(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub", V5: true, Props: rawmqtt.U16(0x21, 2)})
	sub.Subscribe(1, "site/#", 1)
	pub, _ := connect(t, s, rawmqtt.Connect{ID: "pub", V5: true})
	const n = 5000
	go func() {
		for i := range n {
			_, _ = pub.Write(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: uint16(i%100 + 1), Payload: fmt.Sprint(i)}.Bytes(pub.V5))
			if i >= 99 {
				if _, err := pub.TryRead(patient); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	unacked := []uint16{}
	for i := range min(n, s.cfg.MaxQueuedMessages) {
		m := sub.Message()
		if m.Payload != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Payload)
		}
		if unacked = append(unacked, m.ID); len(unacked) == 2 {
			for _, id := range unacked {
				sub.Ack(0x40, id)
			}
			unacked = nil
		}
	}
	await.Soon(t, "all are published", func() bool { return r.count() == n })
}

// The library would stop obeying Receive Maximum where the deadlock is worked around; the window obeys it.
func TestTheSubscribersReceiveMaximumIsObeyed(t *testing.T) {
	s := start(t, setup{})
	sub, _ := connect(t, s, rawmqtt.Connect{ID: "sub", V5: true, Props: rawmqtt.U16(0x21, 3)})
	sub.Subscribe(1, "a/#", 2)
	for i := range 9 {
		if err := s.Publish(t.Context(), "a/b", []byte(fmt.Sprint(i)), byte(1+i%2), false); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	expect := func(n int) (ids []uint16) {
		t.Helper()
		for range n {
			m := sub.Message()
			if m.Payload != fmt.Sprint(next) || m.Dup {
				t.Fatalf("want %d, have %+v", next, m)
			}
			next++
			ids = append(ids, m.ID)
		}
		return ids
	}
	ids := expect(3) // 1, 2, 1
	sub.Quiet()
	sub.Ack(0x40, ids[0])
	ids = append(ids[1:], expect(1)...)
	sub.Ack(0x50, ids[0]) // PUBREC gives no place free
	sub.Acks(0x62, ids[0])
	sub.Quiet()
	sub.Ack(0x70, ids[0])
	ids = append(ids[1:], expect(1)...)
	sub.Send([]byte{0x50, 3, byte(ids[1] >> 8), byte(ids[1]), 0x80}) // PUBREC with an error does
	expect(1)
	sub.Quiet()
}

// Fault: packet identifiers of both directions share a map.
func TestPacketIdentifiersOfTheTwoDirectionsDoNotMeet(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			r := commits(t)
			s := start(t, setup{attach: handlers(r)})
			o := rawmqtt.Connect{ID: "c", Keep: true}
			w, _ := connect(t, s, o)
			w.Subscribe(1, "down", qos)
			if err := s.Publish(t.Context(), "down", []byte("d"), qos, false); err != nil {
				t.Fatal(err)
			}
			down := w.Message()
			// Publishes and (un)subscriptions with the identifier of the delivery that is not acknowledged.
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: down.ID})
			w.Acks(0x40, down.ID)
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: down.ID})
			w.Acks(0x50, down.ID)
			if code := w.Subscribe(down.ID, "other", 1); code != 1 {
				t.Fatalf("SUBACK %02X", code)
			}
			w.Send(rawmqtt.Unsubscribe(w.V5, down.ID, "other"))
			w.Acks(0xB0, down.ID)
			// The delivery is still there: it comes again, and its acknowledgement ends it.
			_ = w.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			w, _ = connect(t, s, o)
			again := w.Message()
			if !again.Dup || again.ID != down.ID || again.Payload != "d" {
				t.Fatalf("%+v", again)
			}
			if qos == 1 {
				w.Ack(0x40, down.ID)
			} else {
				w.Ack(0x50, down.ID)
				w.Acks(0x62, down.ID)
				w.Ack(0x70, down.ID)
			}
			// The half-finished inbound QoS 2 with the same identifier is not disturbed by that.
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: down.ID, Dup: true})
			w.Acks(0x50, down.ID)
			w.Ack(0x62, down.ID)
			w.Acks(0x70, down.ID)
			w.Disconnect()
			w, _ = connect(t, s, o)
			w.Quiet()
			r.has(t, 2)
		})
	}
}

// Fault: defaults.
func TestWhatTheClientIsTold(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.SessionExpiry = 50e9 }})
	w := dial(t, s)
	ack := w.Connect(rawmqtt.Connect{ID: "c", V5: true, Props: rawmqtt.U32(0x11, 1000)})
	told := string(ack.Body)
	for name, want := range map[string][]byte{
		"Receive Maximum 256":         rawmqtt.U16(0x21, 256),
		"Maximum Packet Size 256 KiB": rawmqtt.U32(0x27, 256<<10),
		"Topic Alias Maximum 16":      rawmqtt.U16(0x22, 16),
		"Session Expiry 50 s":         rawmqtt.U32(0x11, 50),
		"Server Keep Alive 1 h":       rawmqtt.U16(0x13, 3600),
	} {
		if !strings.Contains(told, string(want)) {
			t.Errorf("CONNACK does not say %s: %X", name, ack.Body)
		}
	}
}

func TestNothingIsAddedToMessagesAndAcknowledgements(t *testing.T) {
	s := start(t, setup{})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	w.Subscribe(1, "a", 1)
	user := rawmqtt.User("k", "v")
	w.Publish(rawmqtt.Publish{Topic: "a", QoS: 1, ID: 9, Props: user})
	ack, m := w.Read(), w.Read()
	if ack.Kind == 0x30 {
		ack, m = m, ack
	}
	if ack.Kind != 0x40 || len(ack.Body) != 2 {
		t.Errorf("PUBACK with properties: %v", ack)
	}
	if g := published(t, m); g.Props != string(user) {
		t.Errorf("properties %X, want %X: no expiry, no alias", g.Props, user)
	}
}

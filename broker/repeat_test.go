package broker

import (
	"fmt"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

func TestRepeatsAfterAReconnection(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprint("v5 ", v5), func(t *testing.T) {
			r := &receiver{}
			s := start(t, setup{attach: handlers(r)})
			o := rawmqtt.Connect{ID: "c", V5: v5, Keep: true, Props: rawmqtt.U32(0x11, 100)}
			a, present := connect(t, s, o)
			if present {
				t.Fatal("a session out of nothing")
			}
			a.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2},
				rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 3})
			r.has(t, 3)
			_ = a.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			b, present := connect(t, s, o)
			if !present {
				t.Fatal("no session")
			}
			b.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Dup: true}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2, Dup: true},
				rawmqtt.Publish{Topic: "site/1", QoS: 2, ID: 3, Dup: true}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 4})
			r.has(t, 4)
			r.commit(nil)
			b.Acks(0x40, 1, 2)
			b.Acks(0x50, 3)
			b.Acks(0x40, 4)
			r.has(t, 4)

			b.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 5})
			r.has(t, 5)
			_ = b.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			r.commit(nil) // durable, but there is no socket for its PUBACK
			c, _ := connect(t, s, o)
			c.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 5, Dup: true})
			c.Acks(0x40, 5)
			c.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 5, Dup: true}) // the PUBACK has left: it may be another message
			r.has(t, 6)
			_ = c.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			d, _ := connect(t, s, o)
			d.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 5}) // DUP = 0 is a new message
			r.has(t, 7)
			r.commit(nil)
			d.Acks(0x40, 5)
			d.Ack(0x62, 3)
			d.Acks(0x70, 3)
		})
	}
}

func TestATakeoverWhileMessagesArePending(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	o := rawmqtt.Connect{ID: "c", V5: true, Keep: true, Props: rawmqtt.U32(0x11, 100)}
	a, _ := connect(t, s, o)
	a.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1}, rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2})
	r.has(t, 2)
	b, present := connect(t, s, o)
	if !present {
		t.Fatal("no session")
	}
	if code := a.Ended(); code != 0x8E {
		t.Fatalf("DISCONNECT %02X", code)
	}
	b.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 2, Dup: true})
	b.Quiet()
	r.commit(nil)
	b.Acks(0x40, 2) // 1 was not repeated on this connection
	b.Quiet()
	r.has(t, 2)
}

func TestACleanStartForgets(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		r := &receiver{}
		s := start(t, setup{attach: handlers(r)})
		o := rawmqtt.Connect{ID: "c", V5: v5, Keep: true, Props: rawmqtt.U32(0x11, 100)}
		a, _ := connect(t, s, o)
		a.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1})
		r.has(t, 1)
		o.Keep = false
		b, present := connect(t, s, o)
		if present {
			t.Fatal("a clean start has a session")
		}
		b.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: 1, Dup: true})
		r.has(t, 2)
		r.commit(nil)
		b.Acks(0x40, 1)
		b.Quiet()
	}
}

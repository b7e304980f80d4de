package broker

import (
	"fmt"
	"testing"

	"edged/test/await"
)

func TestRepeatsAfterAReconnection(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprint("v5 ", v5), func(t *testing.T) {
			r := &receiver{}
			s := start(t, setup{attach: handlers(r)})
			o := opts{id: "c", v5: v5, keep: true, props: u32(0x11, 100)}
			a, present := connect(t, s, o)
			if present {
				t.Fatal("a session out of nothing")
			}
			a.publish(p{topic: "site/1", qos: 1, id: 1}, p{topic: "site/1", qos: 1, id: 2}, p{topic: "site/1", qos: 2, id: 3})
			r.has(t, 3)
			_ = a.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			b, present := connect(t, s, o)
			if !present {
				t.Fatal("no session")
			}
			b.publish(p{topic: "site/1", qos: 1, id: 1, dup: true}, p{topic: "site/1", qos: 1, id: 2, dup: true},
				p{topic: "site/1", qos: 2, id: 3, dup: true}, p{topic: "site/1", qos: 1, id: 4})
			r.has(t, 4)
			r.commit(nil)
			b.acks(0x40, 1, 2)
			b.acks(0x50, 3)
			b.acks(0x40, 4)
			r.has(t, 4)

			b.publish(p{topic: "site/1", qos: 1, id: 5})
			r.has(t, 5)
			_ = b.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			r.commit(nil) // durable, but there is no socket for its PUBACK
			c, _ := connect(t, s, o)
			c.publish(p{topic: "site/1", qos: 1, id: 5, dup: true})
			c.acks(0x40, 5)
			c.publish(p{topic: "site/1", qos: 1, id: 5, dup: true}) // the PUBACK has left: it may be another message
			r.has(t, 6)
			_ = c.Close()
			await.Soon(t, "the broker notices", func() bool { return s.Status().Clients == 0 })
			d, _ := connect(t, s, o)
			d.publish(p{topic: "site/1", qos: 1, id: 5}) // DUP = 0 is a new message
			r.has(t, 7)
			r.commit(nil)
			d.acks(0x40, 5)
			d.ack(0x62, 3)
			d.acks(0x70, 3)
		})
	}
}

func TestATakeoverWhileMessagesArePending(t *testing.T) {
	r := &receiver{}
	s := start(t, setup{attach: handlers(r)})
	o := opts{id: "c", v5: true, keep: true, props: u32(0x11, 100)}
	a, _ := connect(t, s, o)
	a.publish(p{topic: "site/1", qos: 1, id: 1}, p{topic: "site/1", qos: 1, id: 2})
	r.has(t, 2)
	b, present := connect(t, s, o)
	if !present {
		t.Fatal("no session")
	}
	if code := a.ended(); code != 0x8E {
		t.Fatalf("DISCONNECT %02X", code)
	}
	b.publish(p{topic: "site/1", qos: 1, id: 2, dup: true})
	b.quiet()
	r.commit(nil)
	b.acks(0x40, 2) // 1 was not repeated on this connection
	b.quiet()
	r.has(t, 2)
}

func TestACleanStartForgets(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		r := &receiver{}
		s := start(t, setup{attach: handlers(r)})
		o := opts{id: "c", v5: v5, keep: true, props: u32(0x11, 100)}
		a, _ := connect(t, s, o)
		a.publish(p{topic: "site/1", qos: 1, id: 1})
		r.has(t, 1)
		o.keep = false
		b, present := connect(t, s, o)
		if present {
			t.Fatal("a clean start has a session")
		}
		b.publish(p{topic: "site/1", qos: 1, id: 1, dup: true})
		r.has(t, 2)
		r.commit(nil)
		b.acks(0x40, 1)
		b.quiet()
	}
}

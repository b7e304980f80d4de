package intake

import (
	"testing"

	"edged"

	"pgregory.net/rapid"
)

// client is a well-behaved client: it repeats what is not acknowledged, in order, on every new connection.
type client struct {
	next    uint16
	flight  []message // published, not acknowledged
	repeats int       // of flight still to be sent on this connection
	lost    map[int]bool
}

type message struct {
	n  int
	id uint16
}

func numbered(n int, id uint16, again bool, r *receiver) *Publish {
	p := pub(id, 1, r)
	p.Payload, p.Dup = []byte{byte(n >> 8), byte(n)}, again
	return p
}

// TestAnyHistory checks the promise against any order of publishes, commits, reads, torn writes and reconnections: every
// message that a client saw acknowledged is stored, acknowledgements keep the order, and a message is stored twice only
// if an acknowledgement of it left and got lost.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := newIntake(Limits{Inflight: 20, Pending: 1000, Bytes: 1 << 20, Total: 1 << 30})
		s, r := in.NewSession("c"), &receiver{}
		v5 := rapid.Bool().Draw(t, "v5")
		p := connect(s, v5)
		c := &client{next: 1, lost: map[int]bool{}}
		published, acked := 0, map[int]bool{}
		read := func(bytes int) {
			for _, a := range p.readUpTo(bytes) {
				if len(c.flight) == 0 || c.flight[0].id != a.id {
					t.Fatalf("acknowledged %d, in flight %v", a.id, c.flight)
				}
				acked[c.flight[0].n] = true
				c.flight = c.flight[1:]
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				if c.repeats > 0 || len(c.flight) >= 20 {
					t.Skip("not now")
				}
				m := message{published, c.next}
				published++
				c.next = c.next%30 + 1 // identifiers are reused soon
				c.flight = append(c.flight, m)
				if err := p.link.Take(numbered(m.n, m.id, false, r)); err != nil {
					t.Fatal(err)
				}
			},
			"publish together": func(t *rapid.T) {
				if c.repeats > 0 {
					t.Skip("not now")
				}
				var ms []edged.Message
				var ids []uint16
				for range rapid.IntRange(0, 20-len(c.flight)).Draw(t, "messages") {
					m := message{published, c.next}
					published++
					c.next = c.next%30 + 1
					c.flight = append(c.flight, m)
					ms, ids = append(ms, numbered(m.n, m.id, false, r).Message), append(ids, m.id)
				}
				r.ready = rapid.IntRange(0, 20).Draw(t, "ready")
				n, err := p.link.TakeTogether(r, ms, ids)
				if n != len(ms) || err != nil {
					t.Fatalf("%d of %d were taken: %v", n, len(ms), err)
				}
			},
			"runs": func(t *rapid.T) { r.runs = !r.runs },
			"repeat": func(t *rapid.T) {
				if c.repeats == 0 {
					t.Skip("nothing to repeat")
				}
				m := c.flight[len(c.flight)-c.repeats]
				c.repeats--
				if err := p.link.Take(numbered(m.n, m.id, true, r)); err != nil {
					t.Fatal(err)
				}
			},
			"commit": func(t *rapid.T) { r.commit(rapid.IntRange(1, 5).Draw(t, "n"), nil) },
			"read":   func(t *rapid.T) { read(1 << 30) },
			"lose": func(t *rapid.T) { // the connection dies: some bytes were sent, fewer arrived
				b := p.link.Collect(nil)
				sent := rapid.IntRange(0, len(b)).Draw(t, "sent")
				p.link.Written(sent)
				for i, a := range decode(b[:sent]) {
					if c.flight[i].id != a.id {
						t.Fatalf("acknowledged %d, in flight %v", a.id, c.flight)
					}
					c.lost[c.flight[i].n] = true
				}
				if rapid.Bool().Draw(t, "noticed") {
					p.link.Close()
				}
				p = connect(s, v5)
				c.repeats = len(c.flight)
			},
			"": func(t *rapid.T) {
				stored := map[int]int{}
				for _, m := range r.stored {
					stored[int(m.Payload[0])<<8|int(m.Payload[1])]++
				}
				for n := range acked {
					if stored[n] == 0 {
						t.Fatalf("message %d is acknowledged and not stored", n)
					}
				}
				for n, k := range stored {
					if k > 1 && !c.lost[n] {
						t.Fatalf("message %d is stored %d times, and no acknowledgement of it was lost", n, k)
					}
				}
			},
		})
		for c.repeats > 0 {
			m := c.flight[len(c.flight)-c.repeats]
			c.repeats--
			if err := p.link.Take(numbered(m.n, m.id, true, r)); err != nil {
				t.Fatal(err)
			}
		}
		r.commit(1<<30, nil)
		read(1 << 30)
		if len(c.flight) != 0 || in.Pending() != 0 {
			t.Fatalf("not acknowledged in the end: %v, pending %d", c.flight, in.Pending())
		}
	})
}

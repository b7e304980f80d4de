package intake

import (
	"testing"

	"edged"

	"pgregory.net/rapid"
)

// notebook is a Memory whose commits the test makes. What receivers store with a commit, it has from then on.
type notebook struct {
	has     map[uint16]bool
	waiting []removal
}

type removal struct {
	id   uint16
	done func(error)
}

func (n *notebook) Release(_ string, id uint16, done func(error)) {
	n.waiting = append(n.waiting, removal{id, done})
}

// commit makes what waits durable.
func (n *notebook) commit() {
	w := n.waiting
	n.waiting = nil
	for _, x := range w {
		delete(n.has, x.id)
		x.done(nil)
	}
}

// twofold is a client that publishes with QoS 2, and repeats on each connection what it has not heard the end of.
type twofold struct {
	flight []*exchange
	n      int
}

type exchange struct {
	n        int
	id       uint16
	received bool // PUBREC has come
}

func (c *twofold) find(id uint16) (int, *exchange) {
	for i, e := range c.flight {
		if e.id == id {
			return i, e
		}
	}
	return -1, nil
}

// TestAnyHistoryOfQoS2: in a session that is kept each publish is stored once, whatever is lost and whenever the process dies, PUBREC comes
// when it is durable, and PUBCOMP when it is durable that the identifier was released.
func TestAnyHistoryOfQoS2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			in      *Intake
			s       *Session
			p       *peer
			r       *receiver
			note    = &notebook{has: map[uint16]bool{}}
			c       = &twofold{}
			durable = map[int]int{}
		)
		publish := func(e *exchange, again bool) {
			x := numbered(e.n, e.id, again, r)
			x.QoS, x.Origin = 2, edged.Origin{Client: "c", PacketID: e.id, Copies: 1}
			if err := p.link.Take(x); err != nil {
				t.Fatal(err)
			}
		}
		connected := func() {
			p = connect(s, false)
			for _, e := range c.flight {
				if !e.received {
					publish(e, true)
				} else if err := p.link.Release(e.id); err != nil {
					t.Fatal(err)
				}
			}
		}
		start := func() {
			in, r = newIntake(roomy), &receiver{}
			s = in.NewSession("c")
			var ids []uint16
			for id := range note.has {
				ids = append(ids, id)
			}
			s.Keep(note, ids)
			connected()
		}
		commit := func() { // removals first, as in the store
			note.commit()
			stored := r.stored
			r.stored = nil
			for _, m := range stored {
				note.has[m.Origin.PacketID] = true
				durable[int(m.Payload[0])<<8|int(m.Payload[1])]++
			}
			r.commit(1<<30, nil)
		}
		read := func() {
			for _, a := range p.read() {
				i, e := c.find(a.id)
				switch {
				case e == nil || a.code != 0:
					t.Fatalf("%+v for nothing", a)
				case a.kind == pubrec && durable[e.n] != 1:
					t.Fatalf("PUBREC of %d, which is stored %d times", e.n, durable[e.n])
				case a.kind == pubrec && !e.received:
					e.received = true
					if err := p.link.Release(e.id); err != nil {
						t.Fatal(err)
					}
				case a.kind == pubcomp && (!e.received || note.has[e.id]):
					t.Fatalf("PUBCOMP of %d, received %t, remembered %t", e.n, e.received, note.has[e.id])
				case a.kind == pubcomp:
					c.flight = append(c.flight[:i:i], c.flight[i+1:]...)
				}
			}
		}
		start()
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				id := uint16(1)
				for _, e := c.find(id); e != nil; _, e = c.find(id) {
					id++
				}
				c.n++
				e := &exchange{n: c.n, id: id}
				c.flight = append(c.flight, e)
				publish(e, false)
			},
			"commit": func(*rapid.T) { commit() },
			"read":   func(*rapid.T) { read() },
			"lose":   func(*rapid.T) { p.link.Close(); connected() },
			"die":    func(*rapid.T) { note.waiting = nil; start() },
			"": func(t *rapid.T) {
				for n, k := range durable {
					if k > 1 {
						t.Fatalf("%d is stored %d times", n, k)
					}
				}
			},
		})
		for range 4 {
			commit()
			read()
		}
		if len(c.flight) > 0 || len(note.has) > 0 || in.Pending() != 0 || len(durable) != c.n {
			t.Fatalf("in the end: %d unfinished, %d remembered, %d pending, %d of %d stored", len(c.flight), len(note.has), in.Pending(), len(durable), c.n)
		}
	})
}

package intake

import (
	"context"
	"errors"
	"fmt"

	"edged"

	"pgregory.net/rapid"
)

// notebook is a Memory whose commits the test makes. What receivers store with a commit, it has from then on.
type notebook struct {
	has     map[uint16][]byte
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
	retained bool
	kept     bool // MQTT sessions want it
}

func (c *twofold) find(id uint16) (int, *exchange) {
	for i, e := range c.flight {
		if e.id == id {
			return i, e
		}
	}
	return -1, nil
}

// world is one session that is kept: its process, its client, and the sources that store what it publishes.
type world struct {
	t       *rapid.T
	in      *Intake
	s       *Session
	p       *peer
	down    bool         // the connection
	refused map[int]bool // by message: MQTT 5 was told
	to      []edged.Handler
	sources []string
	by      []*receiver
	full    map[int]bool  // sources that refuse, and behind them the store of retained messages
	changes []func(error) // of retained messages
	note    *notebook
	c       *twofold
	durable map[string]int // by source and message
	copies  map[int]int    // by message: those that sessions find in the log
	readers map[int]int    // likewise: how often those were given it in this life
	others  map[int]int    // and everybody else, ever
	deaths  int
	v5      bool
}

func (w *world) start() {
	w.in, w.to, w.by, w.changes = newIntake(roomy), nil, nil, nil
	for i := range w.sources {
		r := &receiver{refuse: func(context.Context) error {
			if w.full[i] {
				return errors.New("no room")
			}
			return nil
		}}
		w.to, w.by = append(w.to, r), append(w.by, r)
	}
	w.s, w.readers = w.in.NewSession("c"), map[int]int{}
	var receipts []edged.Receipt
	for id, value := range w.note.has {
		r, ok := edged.ReceivedFrom(edged.Origin{Client: "c", PacketID: id}.Key(), value)
		if !ok {
			w.t.Fatalf("%x", value)
		}
		receipts = append(receipts, r)
	}
	w.s.Keep(w.note, receipts)
	w.connect()
}

// Retain implements Retaining.
func (w *world) Retain(done func(error)) { w.changes = append(w.changes, done) }

func (w *world) publish(e *exchange, again bool) {
	x := numbered(e.n, e.id, again, nil)
	x.QoS, x.Origin, x.To, x.Sources = 2, edged.Origin{Client: "c", PacketID: e.id}, w.to, w.sources
	if e.retained {
		x.Retained = w
	}
	x.Keep, x.After = e.kept, &given{w: w, n: e.n, kept: e.kept}
	if err := w.p.link.Take(x); err != nil {
		w.lose()
	}
}

func (w *world) lose() {
	w.p.link.Close()
	w.down = true
}

func (w *world) connect() {
	w.p, w.down = connect(w.s, w.v5), false
	for _, e := range w.c.flight {
		switch {
		case w.down:
		case !e.received:
			w.publish(e, true)
		default:
			if err := w.p.link.Release(e.id); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// commit makes durable what some of the sources have; removals first, as in the store.
func (w *world) commit(which func(i int) bool) {
	w.note.commit()
	for i, r := range w.by {
		if !which(i) {
			continue
		}
		stored := r.stored
		r.stored = nil
		for _, m := range stored {
			id := m.Origin.PacketID
			w.note.has[id] = m.Origin.Received(w.note.has[id], w.sources[i], m.Kept)
			n := int(m.Payload[0])<<8 | int(m.Payload[1])
			w.durable[w.place(i, n)]++
			if m.Kept {
				w.copies[n]++
			}
		}
		r.commit(1<<30, nil)
	}
	changes := w.changes
	w.changes = nil
	for _, done := range changes {
		if w.full[len(w.sources)] {
			done(edged.ErrFull)
		} else {
			done(nil)
		}
	}
}

func (w *world) place(source, message int) string {
	return fmt.Sprint(w.sources[source], ": ", message)
}

// everywhere reports whether each source has stored a message once.
func (w *world) everywhere(n int) bool {
	for i := range w.sources {
		if w.durable[w.place(i, n)] != 1 {
			return false
		}
	}
	return true
}

func (w *world) anywhere(n int) bool {
	for i := range w.sources {
		if w.durable[w.place(i, n)] > 0 {
			return true
		}
	}
	return w.readers[n]+w.others[n] > 0
}

// given is what becomes of a publish for its subscribers.
type given struct {
	w           *world
	n           int
	kept, again bool
}

func (g *given) Begin(again bool) { g.again = again }
func (g *given) Abandon()         {}
func (g *given) Deliver(at edged.Pos, whole bool) {
	if g.kept && !g.again {
		if g.w.readers[g.n]++; at.Seq == 0 {
			g.w.t.Fatal("it is not in the log for sessions")
		}
	}
	if whole {
		g.w.others[g.n]++
	}
}

func (w *world) read() {
	if w.p.severed != nil {
		w.down = true
	}
	for _, a := range w.p.read() {
		i, e := w.c.find(a.id)
		switch {
		case e == nil:
			w.t.Fatalf("%+v for nothing", a)
		case a.kind == pubcomp && a.code == CodeNotFound && e.received && w.note.has[e.id] == nil: // the first one was lost
			w.c.flight = append(w.c.flight[:i:i], w.c.flight[i+1:]...)
		case a.code != 0 && (!w.v5 || a.kind != pubrec || a.code != CodeQuota || w.anywhere(e.n)):
			w.t.Fatalf("%+v for %d, and stored is %v", a, e.n, w.durable)
		case a.code != 0:
			w.c.flight = append(w.c.flight[:i:i], w.c.flight[i+1:]...)
			w.refused[e.n] = true
		case a.kind == pubrec && !w.everywhere(e.n):
			w.t.Fatalf("PUBREC of %d, and stored is %v", e.n, w.durable)
		case a.kind == pubrec && !e.received:
			e.received = true
			if err := w.p.link.Release(e.id); err != nil {
				w.t.Fatal(err)
			}
		case a.kind == pubcomp && (!e.received || w.note.has[e.id] != nil):
			w.t.Fatalf("PUBCOMP of %d, received %t, remembered %x", e.n, e.received, w.note.has[e.id])
		case a.kind == pubcomp:
			w.c.flight = append(w.c.flight[:i:i], w.c.flight[i+1:]...)
		}
	}
}

package intake

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

// TestAnyHistoryOfQoS2: in a session that is kept each publish is stored once by each of its sources, whatever is lost, whichever of them has no
// room, and whenever the process dies; PUBREC comes when it is durable in all of them, and PUBCOMP when it is durable that the identifier was
// released.
func TestAnyHistoryOfQoS2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, full: map[int]bool{}, note: &notebook{has: map[uint16][]byte{}}, c: &twofold{}, durable: map[string]int{}}
		for i := range rapid.IntRange(1, 3).Draw(t, "sources") {
			w.sources = append(w.sources, fmt.Sprint("source ", i))
		}
		w.start()
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				if w.down {
					t.Skip("no connection")
				}
				id := uint16(1)
				for _, e := w.c.find(id); e != nil; _, e = w.c.find(id) {
					id++
				}
				w.c.n++
				e := &exchange{n: w.c.n, id: id, retained: rapid.IntRange(0, 3).Draw(t, "retained") == 0}
				w.c.flight = append(w.c.flight, e)
				w.publish(e, false)
			},
			"commit": func(t *rapid.T) {
				all := rapid.Bool().Draw(t, "all")
				w.commit(func(int) bool { return all || rapid.Bool().Draw(t, "this one") })
			},
			"full": func(t *rapid.T) {
				i := rapid.IntRange(0, len(w.sources)).Draw(t, "which") // the last is that of retained messages
				w.full[i] = !w.full[i]
			},
			"read":    func(*rapid.T) { w.read() },
			"lose":    func(*rapid.T) { w.lose() },
			"connect": func(*rapid.T) { w.connect() },
			"die": func(*rapid.T) {
				w.note.waiting = nil
				w.start()
			},
			"": func(t *rapid.T) {
				for m, k := range w.durable {
					if k > 1 {
						t.Fatalf("%s is stored %d times", m, k)
					}
				}
			},
		})
		w.full = map[int]bool{}
		for range 6 {
			w.connect()
			w.commit(func(int) bool { return true })
			w.read()
		}
		if len(w.c.flight) > 0 || w.in.Pending() != 0 {
			t.Fatalf("in the end: %d unfinished, %d pending", len(w.c.flight), w.in.Pending())
		}
		for n := 1; n <= w.c.n; n++ {
			if !w.everywhere(n) {
				t.Fatalf("%d is not stored everywhere: %v", n, w.durable)
			}
		}
		if len(w.note.has)+len(w.s.ids)+len(w.s.parts) > 0 {
			t.Fatalf("remembered for ever: %v, %v, %v", w.note.has, w.s.ids, w.s.parts)
		}
	})
}

// What was stored in part and not acknowledged is forgotten when its client, which has lost what it knew, uses the identifier for something
// else: all sources get that.
func TestAnIdentifierOfAPartIsUsedAgain(t *testing.T) {
	a, b, note := &receiver{}, &receiver{}, &notebook{}
	s := newIntake(roomy).NewSession("c")
	s.Keep(note, nil)
	p := connect(s, false)
	publish := func(n int, again bool) error {
		x := numbered(n, 1, again, nil)
		x.QoS, x.To, x.Sources = 2, []edged.Handler{a, b}, []string{"a", "b"}
		return p.link.Take(x)
	}
	b.refuse = func(context.Context) error { return errors.New("no room") }
	if err := publish(1, false); !errors.Is(err, ErrNotInTime) {
		t.Fatal(err)
	}
	a.commit(1, nil)
	p.link.Close()
	b.refuse = nil
	p = connect(s, false)
	if err := publish(2, false); err != nil || len(note.waiting) != 1 {
		t.Fatalf("%v; %d identifiers are to be forgotten", err, len(note.waiting))
	}
	if a.count() != 2 || b.count() != 1 || a.stored[1].Origin.Copies != 2 {
		t.Fatalf("%d and %d copies: %+v", a.count(), b.count(), a.stored[1])
	}
}

package intake

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyHistoryOfQoS2: in a session that is kept each publish is stored once by each of its sources, whatever is lost, whichever of them has no
// room, and whenever the process dies; PUBREC comes when it is durable in all of them, and PUBCOMP when it is durable that the identifier was
// released. What MQTT 5 is told was refused is stored nowhere. Subscribers are given it once.
func TestAnyHistoryOfQoS2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, full: map[int]bool{}, note: &notebook{has: map[uint16][]byte{}}, c: &twofold{}, durable: map[string]int{}, copies: map[int]int{}, others: map[int]int{}, refused: map[int]bool{}}
		w.v5 = rapid.Bool().Draw(t, "v5")
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
				e := &exchange{n: w.c.n, id: id, retained: rapid.IntRange(0, 3).Draw(t, "retained") == 0, kept: rapid.Bool().Draw(t, "kept")}
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
				w.deaths++
				w.start()
			},
			"": func(t *rapid.T) {
				for m, k := range w.durable {
					if k > 1 {
						t.Fatalf("%s is stored %d times", m, k)
					}
				}
				for n := 1; n <= w.c.n; n++ {
					if w.copies[n] > 1 || w.readers[n] > 1 || w.others[n] > 1 {
						t.Fatalf("%d: %d copies for sessions, given to them %d times, to others %d times", n, w.copies[n], w.readers[n], w.others[n])
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
			switch {
			case w.refused[n]:
			case !w.everywhere(n):
				t.Fatalf("%d is not stored everywhere: %v", n, w.durable)
			case w.others[n] != 1 && w.deaths == 0:
				t.Fatalf("%d was given to subscribers %d times", n, w.others[n])
			}
		}
		if len(w.note.has)+w.s.ids.len() > 0 {
			t.Fatalf("remembered for ever: %v, %v", w.note.has, w.s.ids.slots)
		}
	})
}

package broker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestMarksPassNothing: the mark is never behind the place that a publish can still get, and it goes to the end of the log when none is under way.
func TestMarksPassNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := uint64(1)
		w := &lowWater{end: func() uint64 { return end }}
		type publish struct{ ticket, since uint64 }
		var out []publish
		t.Repeat(map[string]func(*rapid.T){
			"take":   func(*rapid.T) { out = append(out, publish{w.take(), end}) },
			"commit": func(t *rapid.T) { end += uint64(rapid.IntRange(1, 3).Draw(t, "entries")) },
			"back": func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip("none is out")
				}
				i := rapid.IntRange(0, len(out)-1).Draw(t, "which")
				w.back(out[i].ticket)
				out = slices.Delete(out, i, i+1)
			},
			"": func(t *rapid.T) {
				lowest := end
				for _, p := range out {
					lowest = min(lowest, p.since)
				}
				if m := w.mark(); m != lowest {
					t.Fatalf("the mark is %d, want %d", m, lowest)
				}
				if len(out) == 0 && w.row != nil || uint64(len(w.row)) > end {
					t.Fatalf("%d stretches for %d publishes", len(w.row), len(out))
				}
			},
		})
	})
}

// Tickets that are taken while the log grows are never for a place that it has left behind.
func TestMarksHoldWhileTheLogGrows(t *testing.T) {
	ends := make(chan uint64, 1)
	ends <- 0
	w := &lowWater{end: func() uint64 { e := <-ends + uint64(rand.IntN(2)); ends <- e; return e }}
	done := make(chan bool)
	for range 4 {
		go func() {
			ok := true
			for range 2000 {
				n := w.take()
				at := w.end() // where its message comes at the earliest
				ok = ok && w.mark() <= at
				w.back(n)
			}
			done <- ok
		}()
	}
	for range 4 {
		if !<-done {
			t.Error("the mark has passed a publish under way")
		}
	}
}

package edged

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSpansAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 40
		var s Spans
		var model [n]bool
		for range rapid.IntRange(0, 12).Draw(t, "ops") {
			from := rapid.Uint64Range(0, n).Draw(t, "from")
			to := rapid.Uint64Range(0, n).Draw(t, "to")
			add := rapid.Bool().Draw(t, "add")
			if add {
				s = s.Add(from, to)
			} else {
				s = s.Remove(from, to)
			}
			for i := from; i < to; i++ {
				model[i] = add
			}
		}
		for i, sp := range s {
			if sp.From >= sp.To || i > 0 && s[i-1].To >= sp.From {
				t.Fatalf("not in order: %v", s)
			}
		}
		gaps := s.Gaps(0, n)
		for i := range uint64(n) {
			at, ok := s.Next(i)
			if has := ok && at == i; has != model[i] {
				t.Fatalf("%d in %v: %t", i, s, has)
			}
			at, ok = gaps.Next(i)
			if has := ok && at == i; has == model[i] {
				t.Fatalf("%d in the gaps %v of %v: %t", i, gaps, s, has)
			}
		}
	})
}

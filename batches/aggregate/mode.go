package aggregate

import "edged"

// Mode is mode(x): the most frequent value, of equally frequent ones the smallest; null if there is none. It is exact up to 256 different
// values in a group with 16 KiB of texts, and past that as near as tallies says; a group takes at most about 45 KiB.
var Mode = Kind{
	Argument: Any, Keeps: true, Formula: "the most frequent x, of equally frequent ones the smallest; exact up to 256 different x with 16 KiB of texts, then by counts that are at most rows / 256 too high",
	New: func() edged.Accumulator { return new(mode) },
}

type mode struct{ tallies }

func (a *mode) Merge(later edged.Accumulator) { a.merge(&later.(*mode).tallies) }

func (a *mode) Result(edged.Window, edged.Accumulator) edged.Value {
	best := tally{v: edged.NullValue()}
	for _, e := range a.all {
		if e.n > best.n || e.n == best.n && e.v.Compare(best.v) < 0 {
			best = e
		}
	}
	return best.v
}

package edged

import (
	"math"
	"slices"
)

// Span is a half-open range of sequence numbers, [From, To).
type Span struct{ From, To uint64 }

// Forever is the To of a span without an end.
const Forever = math.MaxUint64

// SpansFrom returns the spans of a consumer that needs everything from seq on.
func SpansFrom(seq uint64) Spans { return Spans{{seq, Forever}} }

// Spans is a set of sequence numbers: disjoint, ascending, not touching.
type Spans []Span

// Add returns s with [from, to) added.
func (s Spans) Add(from, to uint64) Spans {
	if from >= to {
		return s
	}
	out := make(Spans, 0, len(s)+1)
	for i, sp := range s {
		if sp.To < from {
			out = append(out, sp)
			continue
		}
		if sp.From > to {
			return append(append(out, Span{from, to}), s[i:]...)
		}
		from, to = min(from, sp.From), max(to, sp.To)
	}
	return append(out, Span{from, to})
}

// Remove returns s without [from, to).
func (s Spans) Remove(from, to uint64) Spans {
	if from >= to {
		return s
	}
	var out Spans
	for _, sp := range s {
		if sp.From < from {
			out = append(out, Span{sp.From, min(sp.To, from)})
		}
		if sp.To > to {
			out = append(out, Span{max(sp.From, to), sp.To})
		}
	}
	return slices.DeleteFunc(out, func(sp Span) bool { return sp.From >= sp.To })
}

// Union returns the numbers that are in s or in t.
func (s Spans) Union(t Spans) Spans {
	for _, sp := range t {
		s = s.Add(sp.From, sp.To)
	}
	return s
}

// Gaps returns the ranges of [from, to) that are not in s.
func (s Spans) Gaps(from, to uint64) Spans {
	gaps := Spans{{from, to}}
	for _, sp := range s {
		gaps = gaps.Remove(sp.From, sp.To)
	}
	if from >= to {
		return nil
	}
	return gaps
}

// Next returns the first number at or after seq that is in s, or false.
func (s Spans) Next(seq uint64) (uint64, bool) {
	for _, sp := range s {
		if seq < sp.To {
			return max(seq, sp.From), true
		}
	}
	return 0, false
}

// Highest is the largest finite number named in s; 0 if there is none.
func (s Spans) Highest() uint64 {
	h := uint64(0)
	for _, sp := range s {
		h = max(h, sp.From)
		if sp.To != Forever {
			h = max(h, sp.To)
		}
	}
	return h
}

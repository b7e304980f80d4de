package aggregate

import (
	"encoding/binary"

	"edged"
)

// Rate is rate(x): how fast a counter grows, in units of x a second. A reading below the one before is a reset of the
// counter, which began again at 0; one from before the last is out of order, and left out. The last reading before the window is taken as its beginning, so that
// no growth falls between two windows; null with fewer than two readings.
var Rate = Kind{
	Argument: Number, Formula: "increase(x) / seconds between the last reading before the window (without one, the first) and the last reading, in the unit of x a second",
	Previous: true, New: func() edged.Accumulator { return new(counter) },
}

// counter is a stretch of readings of a counter.
type counter struct {
	n           float64
	first, last float64
	growth      float64
	from, to    int64 // times of the first and last reading, ns
}

func (a *counter) Add(v edged.Value, at int64) {
	x, ok := v.Float()
	if !ok {
		return
	}
	a.join(&counter{n: 1, first: x, last: x, from: at, to: at})
}

// join appends a later stretch.
func (a *counter) join(b *counter) {
	switch {
	case b.n == 0 || a.n > 0 && b.to < a.to:
	case a.n == 0:
		*a = *b
	default:
		a.growth += increase(a.last, b.first) + b.growth
		a.n, a.last, a.to = a.n+b.n, b.last, max(a.to, b.to)
	}
}

func increase(from, to float64) float64 {
	if to < from {
		return to
	}
	return to - from
}

func (a *counter) Merge(later edged.Accumulator) { a.join(later.(*counter)) }

// after is the stretch that begins with the last reading before it, if there is one.
func (a *counter) after(prev *counter) counter {
	if prev == nil || prev.n == 0 {
		return *a
	}
	all := counter{n: 1, first: prev.last, last: prev.last, from: prev.to, to: prev.to}
	all.join(a)
	return all
}

func (a *counter) Result(_ edged.Window, prev edged.Accumulator) edged.Value {
	before, _ := prev.(*counter)
	all := a.after(before)
	if a.n == 0 || all.n < 2 || all.to <= all.from {
		return edged.NullValue()
	}
	return edged.NumberValue(all.growth / (float64(all.to-all.from) / 1e9))
}

func (a *counter) AppendBinary(b []byte) []byte {
	b = appendFloats(b, a.n, a.first, a.last, a.growth)
	b = binary.LittleEndian.AppendUint64(b, uint64(a.from))
	return binary.LittleEndian.AppendUint64(b, uint64(a.to))
}

func (a *counter) UnmarshalBinary(b []byte) error {
	if len(b) != 48 {
		return errState
	}
	a.from, a.to = int64(binary.LittleEndian.Uint64(b[32:])), int64(binary.LittleEndian.Uint64(b[40:]))
	return readFloats(b[:32], &a.n, &a.first, &a.last, &a.growth)
}

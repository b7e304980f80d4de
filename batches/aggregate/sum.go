package aggregate

import (
	"math"

	"edged"
)

// Sum is sum(x): the sum of the numbers, in x's unit; null if there is none. Rounding errors are compensated (Neumaier,
// 1974), so that a day of small readings does not drift.
var Sum = Kind{Argument: Number, Formula: "x₁ + x₂ + …, in the unit of x", New: func() edged.Accumulator { return new(sum) }}

// Avg is avg(x): the arithmetic mean, in x's unit; null if there is no number.
var Avg = Kind{Argument: Number, Formula: "sum(x) / number of x, in the unit of x", New: func() edged.Accumulator { return new(avg) }}

type sum struct{ s, c, n float64 } // sum, compensation, count

func (a *sum) Add(v edged.Value, _ int64) {
	if x, ok := v.Float(); ok {
		a.add(x)
		a.n++
	}
}

func (a *sum) add(x float64) {
	t := a.s + x
	if math.Abs(a.s) >= math.Abs(x) {
		a.c += (a.s - t) + x
	} else {
		a.c += (x - t) + a.s
	}
	a.s = t
}

func (a *sum) Merge(later edged.Accumulator) { a.merge(later.(*sum)) }

func (a *sum) merge(b *sum) {
	a.add(b.s)
	a.c += b.c
	a.n += b.n
}

func (a *sum) total() float64 { return a.s + a.c }

func (a *sum) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.n == 0 {
		return edged.NullValue()
	}
	return edged.NumberValue(a.total())
}

func (a *sum) AppendBinary(b []byte) []byte   { return appendFloats(b, a.s, a.c, a.n) }
func (a *sum) UnmarshalBinary(b []byte) error { return readFloats(b, &a.s, &a.c, &a.n) }

type avg struct{ sum }

func (a *avg) Merge(later edged.Accumulator) { a.merge(&later.(*avg).sum) }

func (a *avg) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.n == 0 {
		return edged.NullValue()
	}
	return edged.NumberValue(a.total() / a.n)
}

package aggregate

import (
	"math"

	"edged"
)

// Stddev is stddev(x): the sample standard deviation, in x's unit; null with fewer than two numbers. It is computed with
// the updates of Welford (1962) and joined with those of Chan, Golub and LeVeque (1979), which do not cancel.
var Stddev = Kind{Argument: Number, Formula: "√(Σ(x − avg(x))² / (n − 1)), in the unit of x", New: func() edged.Accumulator { return new(stddev) }}

type stddev struct{ n, mean, m2 float64 }

func (a *stddev) Add(v edged.Value, _ int64) {
	x, ok := v.Float()
	if !ok {
		return
	}
	a.n++
	d := x - a.mean
	a.mean += d / a.n
	a.m2 += d * (x - a.mean)
}

func (a *stddev) Merge(later edged.Accumulator) {
	b := later.(*stddev)
	if b.n == 0 {
		return
	}
	n := a.n + b.n
	d := b.mean - a.mean
	a.mean += d * b.n / n
	a.m2 += b.m2 + d*d*a.n*b.n/n
	a.n = n
}

func (a *stddev) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.n < 2 {
		return edged.NullValue()
	}
	return edged.NumberValue(math.Sqrt(a.m2 / (a.n - 1)))
}

func (a *stddev) AppendBinary(b []byte) []byte   { return appendFloats(b, a.n, a.mean, a.m2) }
func (a *stddev) UnmarshalBinary(b []byte) error { return readFloats(b, &a.n, &a.mean, &a.m2) }

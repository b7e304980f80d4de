package aggregate

import "edged"

// Variance is variance(x): the sample variance, in the square of x's unit; null with fewer than two numbers. It is computed as Stddev is.
var Variance = Kind{Argument: Number, Formula: "Σ(x − avg(x))² / (n − 1), in the unit of x, squared", New: func() edged.Accumulator { return new(variance) }}

type variance struct{ stddev }

func (a *variance) Merge(later edged.Accumulator) { a.stddev.Merge(&later.(*variance).stddev) }

func (a *variance) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.n < 2 {
		return edged.NullValue()
	}
	return edged.NumberValue(a.m2 / (a.n - 1))
}

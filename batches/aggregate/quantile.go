package aggregate

import "edged"

// Quantile makes p50(x) … p99(x): the number below which that percentage of the numbers lies, in x's unit, within 1 % of
// the true one; null if there is none.
func Quantile(percent int) Kind {
	return Kind{
		Argument: Number, Formula: "the x below which that percentage of x lies, ± 1 %, in the unit of x", Commutative: true,
		New: func() edged.Accumulator { return &quantile{q: float64(percent) / 100} },
	}
}

// Median is median(x): the same as p50(x).
var Median = Kind{Argument: Number, Formula: "p50(x), ± 1 %, in the unit of x", Commutative: true, New: Quantile(50).New}

// QuantileOf is quantile(x, q): the number below which the share q of the numbers lies, in x's unit, within 1 % of the true one; null if
// there is none. q is from 0, the smallest, to 1, the largest.
var QuantileOf = Kind{
	Argument: Number, Formula: "the x below which the share q (0 to 1) of x lies, ± 1 %, in the unit of x", Commutative: true,
	With: func(constants []edged.Value) (func() edged.Accumulator, error) {
		if err := wantConstants("quantile", constants, 1, "a share, such as quantile(value, 0.995)"); err != nil {
			return nil, err
		}
		q, ok := constants[0].Float()
		if !ok || q < 0 || q > 1 {
			return nil, wrongConstant("quantile", constants, 0, "a share from 0 to 1")
		}
		return func() edged.Accumulator { return &quantile{q: q} }, nil
	},
}

type quantile struct {
	q float64
	s sketch
}

func (a *quantile) Add(v edged.Value, _ int64) {
	if x, ok := v.Float(); ok {
		a.s.add(x)
	}
}

func (a *quantile) Merge(later edged.Accumulator)  { a.s.merge(&later.(*quantile).s) }
func (a *quantile) AppendBinary(b []byte) []byte   { return a.s.append(b) }
func (a *quantile) UnmarshalBinary(b []byte) error { return a.s.read(b) }

func (a *quantile) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.s.count() == 0 {
		return edged.NullValue()
	}
	return edged.NumberValue(a.s.quantile(a.q))
}

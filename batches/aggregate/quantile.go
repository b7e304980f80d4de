package aggregate

import "edged"

// Quantile makes p50(x) … p99(x): the number below which that percentage of the numbers lies, in x's unit, within 1 % of
// the true one; null if there is none.
func Quantile(percent int) Kind {
	return Kind{
		Argument: Number, Formula: "the x below which that percentage of x lies, ± 1 %", Commutative: true,
		New: func() edged.Accumulator { return &quantile{q: float64(percent) / 100} },
	}
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

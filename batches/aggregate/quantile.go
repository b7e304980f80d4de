package aggregate

import (
	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"edged"
)

// accuracy is the relative error of a quantile.
const accuracy = 0.01

// maxBins bounds a sketch at about 16 KiB a sign; at 1 % it holds values over 17 orders of magnitude. Past that the
// smallest magnitudes share a bin.
const maxBins = 2048

// Quantile makes p50(x) … p99(x): the value below which percent of the numbers lie, in x's unit, within 1 % of the true
// one; null if there is none. It is a DDSketch (Masson, Rim, Lee: VLDB 2019): what panes hold joins without loss.
func Quantile(percent int) Kind {
	return Kind{
		Argument: Number, Formula: "the x below which that percentage of x lies, ± 1 %", Commutative: true,
		New: func() edged.Accumulator { return &quantile{q: float64(percent) / 100} },
	}
}

type quantile struct {
	q float64
	s *ddsketch.DDSketch
}

func newSketch() *ddsketch.DDSketch {
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil {
		panic(err) // the accuracy is a constant between 0 and 1
	}
	return ddsketch.NewDDSketch(m, store.NewCollapsingLowestDenseStore(maxBins), store.NewCollapsingLowestDenseStore(maxBins))
}

func (a *quantile) Add(v edged.Value, _ int64) {
	x, ok := v.Float()
	if !ok {
		return
	}
	if a.s == nil {
		a.s = newSketch()
	}
	_ = a.s.Add(x) // only NaN and numbers beyond 1e300 are refused; neither has a place in a quantile
}

func (a *quantile) Merge(later edged.Accumulator) {
	b := later.(*quantile)
	if b.s == nil {
		return
	}
	if a.s == nil {
		a.s = newSketch()
	}
	_ = a.s.MergeWith(b.s) // fails for different mappings only
}

func (a *quantile) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.s == nil {
		return edged.NullValue()
	}
	x, err := a.s.GetValueAtQuantile(a.q)
	if err != nil {
		return edged.NullValue()
	}
	return edged.NumberValue(x)
}

func (a *quantile) AppendBinary(b []byte) []byte {
	if a.s != nil {
		a.s.Encode(&b, true)
	}
	return b
}

func (a *quantile) UnmarshalBinary(b []byte) error {
	a.s = nil
	if len(b) == 0 {
		return nil
	}
	a.s = newSketch()
	return a.s.DecodeAndMergeWith(b)
}

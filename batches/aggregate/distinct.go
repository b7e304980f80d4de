package aggregate

import (
	"github.com/axiomhq/hyperloglog"

	"edged"
	"edged/internal/rowcodec"
)

// Distinct is distinct(x): the number of different values. It is exact for few and within about 1 % for many (HyperLogLog,
// Flajolet and others 2007; 16 Ki registers, at most 16 KiB a group).
var Distinct = Kind{Argument: Any, Formula: "number of different x, ± 1 %; a group takes at most 16 KiB", Commutative: true, New: func() edged.Accumulator { return &distinct{s: hyperloglog.New()} }}

type distinct struct {
	s   *hyperloglog.Sketch
	buf []byte
}

func (a *distinct) Add(v edged.Value, _ int64) {
	if v.Missing() {
		return
	}
	a.buf = rowcodec.AppendValue(a.buf[:0], v)
	a.s.Insert(a.buf)
}

func (a *distinct) Merge(later edged.Accumulator) {
	_ = a.s.Merge(later.(*distinct).s.Clone()) // fails for different precisions only; merging may reorder what it merges
}

func (a *distinct) Result(edged.Window, edged.Accumulator) edged.Value {
	return edged.NumberValue(float64(a.s.Estimate()))
}

func (a *distinct) AppendBinary(b []byte) []byte {
	b, err := a.s.AppendBinary(b)
	if err != nil {
		panic(err) // it fails for a nil sketch only
	}
	return b
}

func (a *distinct) UnmarshalBinary(b []byte) error {
	a.s = hyperloglog.New()
	return a.s.UnmarshalBinary(b)
}

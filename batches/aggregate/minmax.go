package aggregate

import "edged"

// Min is min(x): the smallest number, in x's unit; null if there is none.
var Min = Kind{Argument: Number, Formula: "the smallest x, in the unit of x", Commutative: true, New: func() edged.Accumulator { return &extreme{sign: 1} }}

// Max is max(x): the largest number, in x's unit; null if there is none.
var Max = Kind{Argument: Number, Formula: "the largest x, in the unit of x", Commutative: true, New: func() edged.Accumulator { return &extreme{sign: -1} }}

// extreme keeps the smallest of sign × x.
type extreme struct{ sign, x, n float64 }

func (a *extreme) Add(v edged.Value, _ int64) {
	if x, ok := v.Float(); ok && (a.n == 0 || a.sign*x < a.sign*a.x) {
		a.x, a.n = x, 1
	}
}

func (a *extreme) Merge(later edged.Accumulator) {
	if b := later.(*extreme); b.n > 0 {
		a.Add(edged.NumberValue(b.x), 0)
	}
}

func (a *extreme) Result(edged.Window, edged.Accumulator) edged.Value {
	if a.n == 0 {
		return edged.NullValue()
	}
	return edged.NumberValue(a.x)
}

func (a *extreme) AppendBinary(b []byte) []byte   { return appendFloats(b, a.x, a.n) }
func (a *extreme) UnmarshalBinary(b []byte) error { return readFloats(b, &a.x, &a.n) }

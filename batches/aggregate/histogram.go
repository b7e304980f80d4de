package aggregate

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"edged"
)

// maxBounds bounds the buckets of a histogram.
const maxBounds = 100

// Histogram is histogram(x, b0, b1, …, bn): how many numbers lie in each of the n+2 buckets (−∞, b0], (b0, b1], …, (bn, ∞), as a JSON array of
// counts in that order. The bounds are in x's unit and grow; there are 1 to 100. It is a count: zeros if there is no number.
var Histogram = Kind{
	Argument: Number, Formula: "numbers of x in the buckets (−∞, b0], (b0, b1], …, (bn, ∞), as a JSON array; 1 to 100 bounds in the unit of x", Commutative: true,
	With: func(constants []edged.Value) (func() edged.Accumulator, error) {
		bounds := make([]float64, len(constants))
		for i, c := range constants {
			f, ok := c.Float()
			switch {
			case !ok:
				return nil, wrongConstant("histogram", constants, i, "a bound, a number")
			case i > 0 && f <= bounds[i-1]:
				return nil, fmt.Errorf("histogram's bounds grow, have %s after %s", say(c), say(constants[i-1]))
			}
			bounds[i] = f
		}
		if n := len(bounds); n < 1 || n > maxBounds {
			return nil, fmt.Errorf("histogram takes a column and 1 to %d bounds, such as histogram(value, 0, 10, 20); have %d bounds", maxBounds, n)
		}
		return func() edged.Accumulator {
			return &histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
		}, nil
	},
}

type histogram struct {
	bounds []float64 // shared
	counts []uint64
}

func (a *histogram) Add(v edged.Value, _ int64) {
	if x, ok := v.Float(); ok {
		i, _ := slices.BinarySearch(a.bounds, x)
		a.counts[i]++
	}
}

func (a *histogram) Merge(later edged.Accumulator) {
	for i, n := range later.(*histogram).counts {
		a.counts[i] += n
	}
}

func (a *histogram) Result(edged.Window, edged.Accumulator) edged.Value {
	b := []byte{'['}
	for i, n := range a.counts {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return edged.JSONValue(string(append(b, ']')))
}

func (a *histogram) AppendBinary(b []byte) []byte {
	for _, n := range a.counts {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func (a *histogram) UnmarshalBinary(b []byte) error {
	for i := range a.counts {
		if a.counts[i], b = takeUvarint(b); b == nil {
			return errState
		}
	}
	if len(b) > 0 {
		return errState
	}
	return nil
}

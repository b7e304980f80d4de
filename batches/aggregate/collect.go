package aggregate

import (
	"encoding/binary"

	"edged"
	"edged/internal/rowcodec"
)

// The bounds of collect: with both reached, a group takes about 64 KiB.
const (
	maxCollected    = 1000
	maxCollectBytes = 32 << 10 // of texts
)

// Collect is collect(x, n): the first n values in the order of first and last, as a JSON array; null if there is none. It keeps at most 1000 values and 32 KiB of
// texts: with the first value that has no room it ends. What comes after is not in it and leaves no mark; a count() beside it says whether
// there was more.
var Collect = Kind{
	Argument: Any, Keeps: true, Formula: "the first n (1 to 1000) x, in the order of first(x), with at most 32 KiB of texts, as a JSON array and nothing more; a count() beside it says whether that was all",
	With: func(constants []edged.Value) (func() edged.Accumulator, error) {
		if err := wantConstants("collect", constants, 1, "how many values it keeps, such as collect(value, 100)"); err != nil {
			return nil, err
		}
		n, err := whole("collect", constants, 0, maxCollected)
		if err != nil {
			return nil, err
		}
		return func() edged.Accumulator { return &collect{n: n} }, nil
	},
}

type collect struct {
	n      int
	values []edged.Value
	bytes  int
	full   bool // a value had no room: no later one is taken, however short
}

func (a *collect) Add(v edged.Value, _ int64) {
	if v.Missing() || a.full {
		return
	}
	size := len(v.Str())
	if a.full = len(a.values) == a.n || a.bytes+size > maxCollectBytes; !a.full {
		a.values = append(a.values, own(v))
		a.bytes += size
	}
}

func (a *collect) Merge(later edged.Accumulator) {
	b := later.(*collect)
	for _, v := range b.values {
		a.Add(v, 0)
	}
	a.full = a.full || b.full
}

func (a *collect) Result(edged.Window, edged.Accumulator) edged.Value {
	if len(a.values) == 0 {
		return edged.NullValue()
	}
	b := []byte{'['}
	for i, v := range a.values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v)
	}
	return edged.JSONValue(string(append(b, ']')))
}

func (a *collect) AppendBinary(b []byte) []byte {
	b = append(b, byte(indicator(a.full)))
	b = binary.AppendUvarint(b, uint64(len(a.values)))
	for _, v := range a.values {
		b = rowcodec.AppendValue(b, v)
	}
	return b
}

func (a *collect) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] > 1 {
		return errState
	}
	*a = collect{n: a.n}
	full := b[0] == 1
	size, b := takeUvarint(b[1:])
	r := rowcodec.Reader{B: b}
	for n := range size {
		if a.Add(r.Value(), 0); r.Err != nil || uint64(len(a.values)) == n {
			return errState
		}
	}
	if a.full = full; b == nil || len(r.B) > 0 {
		return errState
	}
	return nil
}

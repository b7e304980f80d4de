package aggregate

import (
	"encoding/binary"

	"edged"
)

// Count is count(): the number of rows.
var Count = Kind{Formula: "number of rows", Commutative: true, New: func() edged.Accumulator { return new(count) }}

type count struct{ n uint64 }

func (c *count) Add(edged.Value, int64)         { c.n++ }
func (c *count) Merge(later edged.Accumulator)  { c.n += later.(*count).n }
func (c *count) AppendBinary(b []byte) []byte   { return binary.AppendUvarint(b, c.n) }
func (c *count) UnmarshalBinary(b []byte) error { return readUvarint(b, &c.n) }

func (c *count) Result(edged.Window, edged.Accumulator) edged.Value {
	return edged.NumberValue(float64(c.n))
}

func readUvarint(b []byte, v *uint64) error {
	n, k := binary.Uvarint(b)
	if k != len(b) || k == 0 {
		return errState
	}
	*v = n
	return nil
}

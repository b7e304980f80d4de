// Package aggregate holds what windows compute: one short file each. A kind is one file and one line in the list of
// package batches.
//
// Every accumulator keeps to the contract of edged.Accumulator: rows come in log order, panes are merged in log order, and
// a missing or (where numbers are asked for) non-numeric value is skipped. An aggregate of nothing is null, except a
// count.
package aggregate

import (
	"encoding/binary"
	"errors"
	"math"

	"edged"
)

// Argument is what an aggregate takes.
type Argument uint8

// The arguments.
const (
	None   Argument = iota // count()
	Number                 // avg(value)
	Any                    // last(state)
)

// Kind is what the list of aggregates says of one.
type Kind struct {
	Argument Argument
	Formula  string // what it computes, with units
	// Commutative says that panes may be merged in any order.
	Commutative bool
	// Keeps says that it keeps a value as it is, however long.
	Keeps bool
	// Previous says that Result asks for what was before the window: the last reading there, however long ago. Tumbling and sliding windows know
	// it, until a step of the clock; without it, what is counted from the last reading on begins with the first one of the window. What was before is
	// all of it merged, so that Merge must end with the later reading whatever is merged, and cost no more for it.
	Previous bool
	// New makes one of a group in a pane. It is nil where constants are wanted: With gives it.
	New func() edged.Accumulator
	// With gives New for what stands after the column, such as the share in quantile(x, 0.995): numbers, texts and Bools. Its
	// error names the constant that is wrong. It is nil for a kind that takes a column only.
	With func(constants []edged.Value) (New func() edged.Accumulator, err error)
}

var errState = errors.New("the saved state of an aggregate is damaged")

func appendFloats(b []byte, fs ...float64) []byte {
	for _, f := range fs {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	return b
}

func readFloats(b []byte, fs ...*float64) error {
	if len(b) != 8*len(fs) {
		return errState
	}
	for i, f := range fs {
		*f = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return nil
}

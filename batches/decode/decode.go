// Package decode turns payloads into columns. A kind is one file and one line in the list of package batches.
package decode

import "edged"

// Decoder reads payloads of one encoding. It is not safe for use by several goroutines: each has its own.
type Decoder interface {
	// Decode fills cols, one for each path that the decoder was made for; a column that the payload does not have becomes
	// Absent. Texts in cols share the decoder's memory and are valid until its next call. An error says why the payload is
	// not of this encoding: it is poison, and becomes a dead letter.
	Decode(payload []byte, cols []edged.Value) error
	// Payload is what a row without select shows of the payload that was decoded last. It is valid as long as payload is.
	Payload(payload []byte) edged.Value
}

// Kind is what the list of decoders says of one.
type Kind struct {
	// Column is the only column that the decoder can produce; "" if it can produce any, NoColumns if none.
	Column string
	// Type is the type of Column, if it has one.
	Type edged.Kind
	// PayloadName is the column in which a row without select shows the payload.
	PayloadName string
	// New makes a decoder for these columns. A path is the names of nested fields, outermost first.
	New func(paths [][]string) Decoder
}

// NoColumns is the Column of a decoder whose payloads have none.
const NoColumns = "-"

// Value is the column of payloads that hold one value only.
const Value = "value"

// clearCols makes every column Absent.
func clearCols(cols []edged.Value) {
	for i := range cols {
		cols[i] = edged.Value{}
	}
}

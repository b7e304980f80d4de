// Package decode turns payloads into columns. A kind is one file and one line in the list of package batches.
package decode

import "edged"

// Decoder reads payloads of one encoding. It is not safe for use by several goroutines: each has its own.
type Decoder interface {
	// Decode reads a payload as a whole and says how many rows it has. An error says why it is not of this encoding: it is poison, and
	// becomes a dead letter; no row of it counts. If there are rows it fills cols with the first one's, one for each path that the decoder
	// was made for; a column that the row does not have becomes Absent. Texts in cols share the memory of the decoder and of the payload: they
	// are valid until the next Decode.
	Decode(payload []byte, cols []edged.Value) (rows int, err error)
	// Next fills cols with the columns of the next row. It is called rows−1 times at most, with the payload that was decoded last.
	Next(payload []byte, cols []edged.Value)
	// Payload is what a row without select shows of the row that was read last. It is valid as long as payload is, and until the next call.
	Payload(payload []byte) edged.Value
}

// single is the Next of decoders whose payloads have one row.
type single struct{}

// Next implements Decoder: there is none.
func (single) Next([]byte, []edged.Value) {}

// Kind is what the list of decoders says of one.
type Kind struct {
	// Column is the only column that the decoder can produce; "" if it can produce any, NoColumns if none.
	Column string
	// Type is the type of Column, if it has one.
	Type edged.Kind
	// Many says that a payload can have more rows than one, or none.
	Many bool
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

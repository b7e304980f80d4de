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

// Dated is a Decoder whose payloads can hold times that are relative to their arrival.
type Dated interface {
	// Arrived says when the payload of the next Decode arrived, in nanoseconds since 1970.
	Arrived(at int64)
}

// Hinted is a Decoder of payloads that do not say of what type their values are.
type Hinted interface {
	// KeepText says, before the first Decode, that column i is to be the text as it came: it is not looked at whether it is a number.
	KeepText(i int)
}

// Headed is a Decoder of payloads that name their columns once.
type Headed interface {
	// Names reports whether the heading that holds for the payload that was decoded last names column i.
	Names(i int) bool
}

// Kind is what the list of decoders says of one, or of one with the options of a stream.
type Kind struct {
	// Columns are those whose names are the same in every payload.
	Columns []Column
	// Open says which columns it can produce besides.
	Open Open
	// Whose and Hint begin and end what is said of the only columns, where a column is asked for that there is not: whose they are ("" = those of payloads
	// of this kind), and what to do about it ("" = nothing).
	Whose, Hint string
	// Many says that a payload can have more rows than one, or none.
	Many bool
	// Plain says that every payload that can be read is one row, and that Payload shows the payload alone: it needs no Decode before it.
	Plain bool
	// PayloadName is the column in which a row without select shows the payload.
	PayloadName string
	// New makes a decoder for these columns. A path is the names of nested fields, outermost first; nil is a column that is computed later.
	New func(paths [][]string) Decoder
}

// Column is a column of a kind.
type Column struct {
	Name string
	Type edged.Kind // Absent if it can be any
}

// Open is a set of columns.
type Open uint8

// The sets.
const (
	Closed Open = iota // none
	Flat               // those of any name
	Nested             // those of any path
)

// Options are the keys of a decoder's own, in the stream's table that has the decoder's name: a pointer to a struct that holds the defaults, with the tags
// toml and doc, and json, since they are part of a stream's stored definition.
type Options interface {
	// Kind is the decoder with these options, and what is wrong with them.
	Kind() (Kind, []Problem)
}

// Problem is what is wrong with one of a decoder's options; Key is "" if it is with all of them.
type Problem struct {
	Key string
	Err error
}

// MaxRows is how many rows a payload can have at most.
const MaxRows = 65535

// Value is the column of payloads that hold one value only.
const Value = "value"

// clearCols makes every column Absent: one by one, since there are few, for which clear costs more.
func clearCols(cols []edged.Value) {
	for i := range cols {
		c := &cols[i]
		*c = edged.Value{}
	}
}

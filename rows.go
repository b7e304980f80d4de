package edged

// Rows are rows of one stream with the same columns, as they leave for a sink. Cells stand row by row; a cell of kind
// Absent is left out where the format can (NDJSON) and empty where it cannot (CSV).
type Rows struct {
	Stream string
	Names  []string // columns in the order in which they are written, "stream" excepted
	Cells  []Value  // Len() × len(Names)
	At     []Pos    // where each row came from; ascending
	had    int      // cells of the rows before, see Again
}

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.At) }

// Row returns the cells of row i.
func (r *Rows) Row(i int) []Value {
	n := len(r.Names)
	return r.Cells[i*n : (i+1)*n : (i+1)*n]
}

// Again returns empty rows of a stream in the memory of r, whose own rows are gone then. r may be nil. Whoever has added what there is calls Forget.
func (r *Rows) Again(stream string, names []string) *Rows {
	if r == nil {
		return &Rows{Stream: stream, Names: names}
	}
	return &Rows{Stream: stream, Names: names, Cells: r.Cells[:0], At: r.At[:0], had: max(len(r.Cells), r.had)}
}

// Forget lets go of what is left of the rows before: their cells would keep texts, and the blocks that those are of.
func (r *Rows) Forget() {
	if len(r.Cells) < r.had {
		clear(r.Cells[len(r.Cells):r.had])
	}
	r.had = 0
}

// Slice returns the rows [from, to), sharing their cells.
func (r *Rows) Slice(from, to int) *Rows {
	n := len(r.Names)
	return &Rows{Stream: r.Stream, Names: r.Names, Cells: r.Cells[from*n : to*n], At: r.At[from:to]}
}

// Reserved are the column names that rows of the gateway use themselves. A column, key or aggregate of a stream cannot
// have one of them.
var Reserved = []string{
	"stream", "window_start", "window_end", "time", "topic", "payload", "payload_base64",
	"epoch", "clock_trusted", "revision", "partial", "replay",
}

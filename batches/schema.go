package batches

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"edged"
	"edged/batches/decode"
)

// Column is a declared column.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Unit string `json:"unit,omitempty"`
}

// Columns are the declared columns; none if the stream declares none.
func (p *Plan) Columns() []Column { return p.columns }

type columnType struct {
	name string
	kind edged.Kind // Absent: any
}

var columnTypes = [...]columnType{
	{"float", edged.Number}, {"int", edged.Number}, {"bool", edged.Bool}, {"text", edged.Text}, {"time", edged.Time}, {"any", edged.Absent},
}

func (c *Column) kind() *columnType {
	for i := range columnTypes {
		if columnTypes[i].name == c.Type {
			return &columnTypes[i]
		}
	}
	return nil
}

// scale is the unit of a time that is a number, in nanoseconds; 0 if there is none.
func (c *Column) scale() float64 {
	if c.Type != "time" {
		return 0
	}
	return float64(timeUnits()[c.Unit])
}

// declared is a kind of decoder with the columns that a stream declares, and no others.
func declared(k decode.Kind, columns []Column) decode.Kind {
	inner := k.New
	k.Columns, k.Open = nil, decode.Closed
	k.Whose, k.Hint = "the stream declares", "; add it to columns"
	for _, c := range columns {
		t := c.kind()
		if t == nil {
			t = &columnType{}
		}
		k.Columns = append(k.Columns, decode.Column{Name: c.Name, Type: t.kind})
	}
	k.New = func(paths [][]string) decode.Decoder {
		t := newTyped(inner(paths), paths)
		for i := range t.cols {
			at := slices.IndexFunc(columns, func(c Column) bool { return c.Name == t.cols[i].name })
			if at >= 0 && columns[at].Type != "any" {
				t.cols[i].declare(&columns[at])
			}
			if h, ok := t.Decoder.(decode.Hinted); ok && at >= 0 && columns[at].Type == "text" {
				h.KeepText(t.cols[i].slot)
			}
		}
		return t
	}
	return k
}

// inferred is a kind of decoder whose columns have the type of their first value. Nothing depends on that but counts.
func inferred(k decode.Kind) decode.Kind {
	inner := k.New
	k.New = func(paths [][]string) decode.Decoder {
		t := newTyped(inner(paths), paths)
		t.cols = slices.DeleteFunc(t.cols, func(c *typedColumn) bool { return k.TypeOf(paths[c.slot]) != edged.Absent })
		if len(t.cols) == 0 {
			return t.Decoder
		}
		return t
	}
	return k
}

// typed is a decoder that looks at the types of columns.
type typed struct {
	decode.Decoder
	dated decode.Dated
	cols  []*typedColumn
}

type typedColumn struct {
	slot  int
	name  string
	want  *columnType // nil: it was not declared
	scale float64     // see Column.scale
	seen  edged.Kind  // of the first value, if it was not declared
	said  bool        // it was logged that there are others

	first atomic.Uint32 // seen, for others
	last  atomic.Uint32 // the kind of the last value of another type
	other atomic.Uint64 // values of another type
}

func newTyped(d decode.Decoder, paths [][]string) *typed {
	t := &typed{Decoder: d}
	t.dated, _ = d.(decode.Dated)
	for i, path := range paths {
		if path != nil {
			t.cols = append(t.cols, &typedColumn{slot: i, name: strings.Join(path, ".")})
		}
	}
	return t
}

func (c *typedColumn) declare(as *Column) { c.want, c.scale = as.kind(), as.scale() }

// Arrived implements decode.Dated.
func (t *typed) Arrived(at int64) {
	if t.dated != nil {
		t.dated.Arrived(at)
	}
}

// Decode implements decode.Decoder.
func (t *typed) Decode(payload []byte, cols []edged.Value) (int, error) {
	rows, err := t.Decoder.Decode(payload, cols)
	if err == nil && rows > 0 {
		t.look(cols)
	}
	return rows, err
}

// Next implements decode.Decoder.
func (t *typed) Next(payload []byte, cols []edged.Value) {
	t.Decoder.Next(payload, cols)
	t.look(cols)
}

func (t *typed) look(cols []edged.Value) {
	for _, c := range t.cols {
		v := &cols[c.slot]
		switch {
		case v.Missing():
		case c.want != nil:
			c.convert(v)
		case c.seen == edged.Absent:
			c.seen = v.Kind()
			c.first.Store(uint32(c.seen))
		case c.seen != v.Kind():
			c.count(v.Kind())
		}
	}
}

// convert makes v a value of the declared type if it says one without doubt and without loss; else it is null, and counted. Texts that say that there
// is no value ("", nan) are null and no fault.
func (c *typedColumn) convert(v *edged.Value) {
	if v.Kind() == c.want.kind && c.want.name != "int" {
		return
	}
	w := *v
	if w.Kind() == edged.Text && c.want.kind != edged.Text {
		w = c.fromText(w.Str())
	}
	f, isNumber := w.Float()
	switch {
	case w.Missing():
		*v = edged.NullValue()
		return
	case isNumber && c.want.name == "int" && (f != math.Trunc(f) || math.Abs(f) > maxInt):
	case isNumber && c.want.kind == edged.Bool && (f == 0 || f == 1):
		*v = edged.BoolValue(f == 1)
		return
	case isNumber && c.scale > 0 && math.Abs(f) < 9e18/c.scale:
		whole := math.Trunc(f)
		*v = edged.TimeValue(int64(whole)*int64(c.scale) + int64((f-whole)*c.scale))
		return
	case w.Kind() == c.want.kind:
		*v = w
		return
	}
	c.count(v.Kind())
	*v = edged.NullValue()
}

// maxInt is up to where every whole number is itself as a float.
const maxInt = 1 << 53

// fromText reads a text as the declared type has it.
func (c *typedColumn) fromText(s string) edged.Value {
	if c.want.kind != edged.Time || c.scale > 0 {
		return decode.FromText(s)
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	switch {
	case s == "":
		return edged.NullValue()
	case err != nil || at.Year() <= 1678 || at.Year() >= 2262: // what nanoseconds hold
		return edged.TextValue(s) // which is no time
	}
	return edged.TimeValue(at.UnixNano())
}

package decode

import (
	"bytes"
	"fmt"
	"slices"

	"edged"
)

// CSV is the kind csv without options: its columns have no names.
var CSV = csvKind(DefaultCSV())

// csvDecoder reads rows of fields as RFC 4180 has them: a field in double quotes holds anything, with "" for a quote. Of fields without quotes,
// numbers and booleans are recognised, and an empty one is null. All rows have as many fields as there are names.
type csvDecoder struct {
	lined
	o      CSVOptions
	delim  byte
	names  names
	keep   []bool
	fields []int  // the slot of each field, -1 for one that nobody asks for; nil if rows may have any number of fields
	header []byte // the line that fields was made from
	texts  []byte // those that are not as they are in the payload
}

func newCSV(o CSVOptions, paths [][]string) Decoder {
	d := &csvDecoder{o: o, delim: o.Delimiter[0], names: namesOf(paths), keep: make([]bool, len(paths))}
	d.lined = lined{p: d, comment: o.Comment}
	for _, name := range o.Columns {
		d.fields = append(d.fields, d.names.slot([]byte(name)))
	}
	return d
}

// KeepText implements Hinted.
func (d *csvDecoder) KeepText(i int) { d.keep[i] = true }

// Names implements Headed.
func (d *csvDecoder) Names(i int) bool { return slices.Contains(d.fields, i) }

func (d *csvDecoder) begin(payload []byte) (head int, err error) {
	d.texts = emptied(d.texts)
	if bytes.HasPrefix(payload, byteOrderMark) {
		head = len(byteOrderMark)
	}
	if !d.o.Header {
		return head, nil
	}
	if head = d.skip(payload, head); head == len(payload) {
		return head, nil
	}
	line := payload[head:]
	if len(d.o.Columns) > 0 || d.header != nil && bytes.HasPrefix(line, d.header) && atEnd(line[len(d.header):]) {
		n, err := d.fieldsOf(line, nil) // known; a quoted name can hold line breaks
		return head + n, err
	}
	n, err := d.learn(line)
	return head + n, err
}

// byteOrderMark is what some programs put before a text.
var byteOrderMark = []byte("\ufeff")

// learn takes the names of the columns from the line that b begins with.
func (d *csvDecoder) learn(b []byte) (n int, err error) {
	d.header = nil
	fields, seen, twice := []int{}, map[string]bool{}, ""
	n, err = d.fieldsOf(b, func(i int, field []byte, quoted bool) {
		name := string(bytes.TrimSpace(d.unquote(field, quoted)))
		if i >= maxFields {
			return
		}
		if seen[name] && name != "" && twice == "" {
			twice = name
		}
		seen[name] = true
		if fields = append(fields, -1); name != "" {
			fields[i] = d.names.slot([]byte(name))
		}
	})
	switch {
	case err != nil:
		return 0, err
	case twice != "":
		return 0, fmt.Errorf("the header names %q twice", clip([]byte(twice)))
	case len(fields) == maxFields:
		return 0, fmt.Errorf("the header names %d columns or more", maxFields)
	}
	d.fields, d.header = fields, bytes.Clone(b[:n])
	return n, nil
}

// maxFields bounds what a header makes a decoder remember.
const maxFields = 4096

func (d *csvDecoder) row(rest []byte, cols []edged.Value) (n int, err error) {
	count := 0
	n, err = d.fieldsOf(rest, func(i int, field []byte, quoted bool) {
		count++
		if cols == nil || i >= len(d.fields) || d.fields[i] < 0 {
			return
		}
		slot := d.fields[i]
		switch {
		case quoted:
			cols[slot] = edged.TextValue(view(d.unquote(field, true)))
		case d.keep[slot]:
			cols[slot] = edged.TextValue(view(field))
		default:
			cols[slot] = csvScalar(field)
		}
	})
	if err == nil && d.fields != nil && count != len(d.fields) {
		err = fmt.Errorf("%d fields, want %d", count, len(d.fields))
	}
	return n, err
}

// csvScalar is scalar, of which blanks around a number or a boolean are no part.
func csvScalar(field []byte) edged.Value {
	v := scalar(bytes.TrimSpace(field))
	if v.Kind() == edged.Text {
		return edged.TextValue(view(field))
	}
	return v
}

// fieldsOf goes through the fields of the row that b begins with, and says how long it is. A quoted field is given without its quotes. visit may be nil.
func (d *csvDecoder) fieldsOf(b []byte, visit func(i int, field []byte, quoted bool)) (at int, err error) {
	for i := 0; ; i++ {
		from, to, quoted := at, at, at < len(b) && b[at] == '"'
		if quoted {
			n := csvQuoted(b[at:])
			if n < 0 {
				return 0, fmt.Errorf("field %d: %w", i+1, errOpenQuote)
			}
			at += n
			from, to = from+1, at-1
			if !atEnd(b[at:]) && b[at] != d.delim {
				return 0, fmt.Errorf("field %d: %w", i+1, errAfterQuote)
			}
		} else {
			for at < len(b) && b[at] != d.delim && b[at] != '\n' && (b[at] != '\r' || !atEnd(b[at:])) {
				if b[at] == '"' {
					return 0, fmt.Errorf("field %d: a quote within a field without quotes", i+1)
				}
				at++
			}
			to = at
		}
		if visit != nil {
			visit(i, b[from:to], quoted)
		}
		if atEnd(b[at:]) {
			return at, nil
		}
		at++ // the delimiter
	}
}

// csvQuoted is the length of the quoted field that b begins with, with its quotes; -1 if it does not end.
func csvQuoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		if i+1 == len(b) || b[i+1] != '"' {
			return i + 1
		}
		i++
	}
	return -1
}

func (d *csvDecoder) unquote(field []byte, quoted bool) []byte {
	if !quoted || bytes.IndexByte(field, '"') < 0 {
		return field
	}
	from := len(d.texts)
	for i := 0; i < len(field); i++ {
		d.texts = append(d.texts, field[i])
		if field[i] == '"' {
			i++ // its pair
		}
	}
	return d.texts[from:]
}

package influx

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"edged"
	"edged/sinks/encode"
	"edged/sinks/template"
)

// lines writes the rows of one edged.Rows as lines.
type lines struct {
	rows        *edged.Rows
	measurement template.Columns
	tags        []column // in the order of their names, which servers prefer
	fields      []column
	time        int // the timestamp's column
	unit        int64
	scratch     []byte
}

// column is a column of the rows, with its name as it is written: `,device=` of a tag, `n=` of a field.
type column struct {
	at   int
	text string
}

var errNoTime = errors.New("the row has no time")

// newLines lays out the columns.
func newLines(c *Config, rows *edged.Rows) (*lines, error) {
	l := &lines{rows: rows, measurement: c.template().In(rows), unit: units[c.Precision]}
	if l.time = template.Column(rows.Names, c.Time); l.time < 0 {
		l.time = template.Column(rows.Names, "time")
	}
	if l.time < 0 {
		return nil, edged.WithClass(errNoTime, edged.Poison)
	}
	for _, name := range slices.Sorted(slices.Values(c.tagsOf(rows.Stream))) {
		if at := template.Column(rows.Names, name); at >= 0 && at != l.time {
			l.tags = append(l.tags, column{at, "," + string(appendEscaped(nil, name, inKey)) + "="})
		}
	}
	for at, name := range rows.Names {
		if at != l.time && !slices.ContainsFunc(l.tags, func(t column) bool { return t.at == at }) {
			l.fields = append(l.fields, column{at, string(appendEscaped(nil, name, inKey)) + "="})
		}
	}
	return l, nil
}

// append appends row i with a line break, or nothing if it has no field: the protocol knows no such line.
func (l *lines) append(dst []byte, i int) (out []byte, written bool, err error) {
	row := l.rows.Row(i)
	if row[l.time].Kind() != edged.Time {
		return dst, false, edged.WithClass(errNoTime, edged.Poison)
	}
	begin := len(dst)
	dst = l.appendMeasurement(dst, row)
	for _, t := range l.tags {
		v := plain(row[t.at])
		if v.Missing() {
			continue
		}
		if l.scratch = encode.AppendPlain(l.scratch[:0], v); len(l.scratch) == 0 { // a tag has no empty value
			continue
		}
		dst = appendEscaped(append(dst, t.text...), string(l.scratch), inKey)
	}
	separator := byte(' ')
	for _, f := range l.fields {
		v := plain(row[f.at])
		if v.Missing() {
			continue
		}
		dst = append(append(dst, separator), f.text...)
		dst, l.scratch = appendField(dst, v, l.scratch)
		separator = ','
	}
	if separator == ' ' {
		return dst[:begin], false, nil
	}
	dst = strconv.AppendInt(append(dst, ' '), floor(row[l.time].Nanos(), l.unit), 10)
	return append(dst, '\n'), true, nil
}

// appendMeasurement appends the measurement. A line that begins with # would be a comment, and one without a measurement is none.
func (l *lines) appendMeasurement(dst []byte, row []edged.Value) []byte {
	l.scratch = l.measurement.Append(l.scratch[:0], row, texts{})
	name := string(l.scratch)
	switch {
	case name == "":
		name = "_"
	case strings.HasPrefix(name, "#"):
		name = "_" + name[1:]
	}
	return appendEscaped(dst, name, inMeasurement)
}

// floor divides, towards the past.
func floor(ns, unit int64) int64 {
	n := ns / unit
	if ns%unit < 0 {
		n--
	}
	return n
}

// texts implements template.Filled for the measurement, which is escaped as a whole.
type texts struct{}

// AppendLiteral implements template.Filled.
func (texts) AppendLiteral(dst []byte, text string) []byte { return append(dst, text...) }

// AppendValue implements template.Filled.
func (texts) AppendValue(dst []byte, v edged.Value) []byte { return encode.AppendPlain(dst, plain(v)) }

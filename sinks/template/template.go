// Package template fills texts such as "results/{stream}/{device}" from rows: {stream} is the row's stream, any other name in braces one
// of its columns.
package template

import (
	"errors"
	"fmt"
	"strings"

	"edged"
)

// Template is a text with places to fill. It is immutable.
type Template struct {
	text  string
	parts []part
}

// part is literal text, and the name in braces behind it; name is "" behind the last one.
type part struct{ literal, name string }

// Stream is the name that stands for the row's stream.
const Stream = "stream"

// Parse reads a template. There is no way to write a brace.
func Parse(text string) (*Template, error) {
	t := &Template{text: text}
	for rest := text; ; {
		literal, after, found := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("there is a } without a {")
		}
		if !found {
			t.parts = append(t.parts, part{literal, ""})
			return t, nil
		}
		name, next, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			return nil, errors.New("there is a { without a }")
		case name == "" || strings.ContainsAny(name, "{ "):
			return nil, fmt.Errorf("{%s} names no column", name)
		}
		t.parts = append(t.parts, part{literal, name})
		rest = next
	}
}

// String is the template's text.
func (t *Template) String() string { return t.text }

// Columns are the names in it that are not the stream's, in order.
func (t *Template) Columns() (names []string) {
	for _, p := range t.parts {
		if p.name != "" && p.name != Stream {
			names = append(names, p.name)
		}
	}
	return names
}

// Filled says what comes in each place of a template that is filled.
type Filled interface {
	// AppendLiteral appends text of the template itself.
	AppendLiteral(dst []byte, text string) []byte
	// AppendValue appends a value; that of the stream is a Text.
	AppendValue(dst []byte, v edged.Value) []byte
}

// Columns are the places of a template's columns in rows of one kind: those of one edged.Rows.
type Columns struct {
	t      *Template
	stream edged.Value
	at     []int // of each part; -1: the rows have no such column
}

// In finds the columns.
func (t *Template) In(rows *edged.Rows) Columns {
	c := Columns{t: t, stream: edged.TextValue(rows.Stream), at: make([]int, len(t.parts))}
	for i, p := range t.parts {
		c.at[i] = Column(rows.Names, p.name)
	}
	return c
}

// Column is the place of a column; -1 if there is none of that name.
func Column(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// Append fills the template from one row. A column that is not there is Absent.
func (c Columns) Append(dst []byte, row []edged.Value, f Filled) []byte {
	for i, p := range c.t.parts {
		if p.literal != "" {
			dst = f.AppendLiteral(dst, p.literal)
		}
		switch {
		case p.name == "":
		case p.name == Stream:
			dst = f.AppendValue(dst, c.stream)
		case c.at[i] < 0:
			dst = f.AppendValue(dst, edged.Value{})
		default:
			dst = f.AppendValue(dst, row[c.at[i]])
		}
	}
	return dst
}

// Prefix is what every text of the template begins with, for rows of one stream, and whether that is all of it.
func (t *Template) Prefix(stream string) (prefix string, whole bool) {
	for _, p := range t.parts {
		prefix += p.literal
		switch p.name {
		case "":
			return prefix, true
		case Stream:
			prefix += stream
		default:
			return prefix, false
		}
	}
	return prefix, true
}

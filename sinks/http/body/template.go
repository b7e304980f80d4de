package body

import (
	"slices"

	"edged"
	"edged/sinks/encode"
)

// Template writes bodies. It is for one goroutine.
type Template struct {
	prefix, row, suffix compiled
	separator           string
	objects             bool // a row is used as a whole
	object              encode.Objects
	values              row // scratch: of one row
}

// Compile makes the template of a Config that Check found nothing wrong with.
func (c *Config) Compile() (*Template, error) {
	t := &Template{separator: c.Separator, values: row{}}
	for _, part := range []struct {
		into       *compiled
		name, text string
	}{{&t.prefix, "prefix", c.Prefix}, {&t.row, "row", c.Row}, {&t.suffix, "suffix", c.Suffix}} {
		made, names, err := compile(part.name, part.text)
		if err != nil {
			return nil, err
		}
		*part.into = made
		t.objects = t.objects || slices.Contains(names, whole)
	}
	return t, nil
}

// Append appends the body of rows. It keeps nothing of them.
func (t *Template) Append(dst []byte, rows *edged.Rows) []byte {
	defer clear(t.values)
	if t.objects {
		t.object.Reset(rows)
		defer t.object.Reset(nil)
	}
	around := row{"stream": rows.Stream, "rows": rows.Len()}
	dst = t.prefix.append(dst, around)
	for i := range rows.Len() {
		if i > 0 {
			dst = append(dst, t.separator...)
		}
		clear(t.values)
		t.values["stream"] = rows.Stream
		for c, cell := range rows.Row(i) {
			t.values[rows.Names[c]] = native(cell)
		}
		if t.objects {
			t.values[whole] = raw(t.object.Append(nil, i))
		}
		dst = t.row.append(dst, t.values)
	}
	return t.suffix.append(dst, around)
}

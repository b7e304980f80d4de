package body

import (
	"slices"
	"text/template"

	"edged"
	"edged/sinks/encode"
)

// Template writes bodies. It is for one goroutine.
type Template struct {
	prefix, row, suffix *template.Template
	separator           string
	objects             bool // a row is used as a whole
	object              encode.Objects
	values              row // scratch: of one row
}

// Compile makes the template of a Config that Check found nothing wrong with.
func (c *Config) Compile() (*Template, error) {
	t := &Template{separator: c.Separator, values: row{}}
	for _, part := range []struct {
		into       **template.Template
		name, text string
	}{{&t.prefix, "prefix", c.Prefix}, {&t.row, "row", c.Row}, {&t.suffix, "suffix", c.Suffix}} {
		compiled, names, err := compile(part.name, part.text)
		if err != nil {
			return nil, err
		}
		*part.into = compiled
		t.objects = t.objects || slices.Contains(names, whole)
	}
	return t, nil
}

// Append appends the body of rows. It keeps nothing of them.
func (t *Template) Append(dst []byte, rows *edged.Rows) ([]byte, error) {
	defer clear(t.values)
	if t.objects {
		t.object.Reset(rows)
		defer t.object.Reset(nil)
	}
	w := writer{dst}
	around := row{"stream": rows.Stream, "rows": rows.Len()}
	if err := t.prefix.Execute(&w, around); err != nil {
		return w.b, err
	}
	for i := range rows.Len() {
		if i > 0 {
			w.b = append(w.b, t.separator...)
		}
		clear(t.values)
		t.values["stream"] = rows.Stream
		for c, cell := range rows.Row(i) {
			t.values[rows.Names[c]] = native(cell)
		}
		if t.objects {
			t.values[whole] = raw(t.object.Append(nil, i))
		}
		if err := t.row.Execute(&w, t.values); err != nil {
			return w.b, err
		}
	}
	return w.b, t.suffix.Execute(&w, around)
}

type writer struct{ b []byte }

func (w *writer) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}

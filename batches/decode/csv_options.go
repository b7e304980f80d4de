package decode

import (
	"fmt"
	"strings"
)

// CSVOptions is the table csv of a stream.
type CSVOptions struct {
	Columns   []string `toml:"columns" json:"columns,omitempty" doc:"names of the columns in the order of the fields; \"\" for one that is not needed. A row with more or fewer fields makes its message a dead letter"`
	Header    bool     `toml:"header" json:"header,omitempty" doc:"the first line of each payload holds the names of its columns; with columns it is passed over"`
	Delimiter string   `toml:"delimiter" json:"delimiter" doc:"what stands between fields: one ASCII character"`
	Comment   string   `toml:"comment" json:"comment,omitempty" doc:"lines that begin with this are passed over; \"\" = none are"`
}

// DefaultCSV returns the defaults.
func DefaultCSV() CSVOptions { return CSVOptions{Delimiter: ","} }

// Kind implements Options.
func (o *CSVOptions) Kind() (Kind, []Problem) {
	var wrong []Problem
	fail := func(key, format string, args ...any) {
		wrong = append(wrong, Problem{key, fmt.Errorf(format, args...)})
	}
	if len(o.Delimiter) != 1 || o.Delimiter[0] >= 0x80 || strings.Contains("\"\r\n", o.Delimiter) {
		fail("delimiter", `want one ASCII character that is no quote and no line break, such as ";" or "\t", have %q`, o.Delimiter)
	}
	if o.Comment != "" && (strings.ContainsAny(o.Comment, "\r\n") || o.Comment[0] == '"' || strings.HasPrefix(o.Comment, o.Delimiter)) {
		fail("comment", "it cannot begin with a quote or the delimiter, or hold a line break, have %q", o.Comment)
	}
	named := map[string]bool{}
	for _, name := range o.Columns {
		if name != "" && named[name] {
			fail("columns", "%q is there twice", name)
		}
		named[name] = true
	}
	if delete(named, ""); len(o.Columns) > 0 && len(named) == 0 {
		fail("columns", "none of them has a name")
	}
	if len(o.Columns) > maxFields {
		fail("columns", "more than %d", maxFields)
	}
	return csvKind(*o), wrong
}

func csvKind(o CSVOptions) Kind {
	k := Kind{Many: true, PayloadName: "payload", New: func(paths [][]string) Decoder { return newCSV(o, paths) }}
	for _, name := range o.Columns {
		if name != "" {
			k.Columns = append(k.Columns, Column{Name: name})
		}
	}
	switch {
	case len(o.Columns) > 0:
		k.Hint = " (csv.columns)"
	case o.Header:
		k.Open = Flat
	default:
		k.Hint = `; name them, as in csv = { columns = ["time", "value"] }, or say csv = { header = true }`
	}
	return k
}

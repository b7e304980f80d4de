// Package conf turns TOML text into configuration structs, and finds every mistake at once.
//
// The TOML library stops at the first type error and exposes no positions, so it is only used to decode into a generic
// tree. The tree is then bound to structs by their tags, and lines come from a scan of the keys of our own. The same tags
// make the reference in docs/.
//
// A struct to bind to looks like this; what it holds before binding are the defaults:
//
//	type Config struct {
//		Path  string        `toml:"path" doc:"file to append to"`
//		Every conf.Duration `toml:"every" doc:"time between readings"`
//		TLS   *TLS          `toml:"tls" doc:"nil when the table is missing"`
//	}
//
// Field types: string, bool, int, float64, []string, Duration, Size, Rate and the other types of this package that have a
// SetTOML method, Pairs (a table of strings in the order of the file), structs (tables), pointers to them, and *Table for
// a table that its owner binds later (named tables).
package conf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Doc is one configuration file: its tree, the lines of its keys, and the problems found so far.
type Doc struct {
	File     string
	root     map[string]any
	lines    map[string]int
	order    map[string][]string // keys of a table in the order of the file
	problems []Problem
	notes    []Problem
}

// Problem is a mistake, or a note, at a line.
type Problem struct {
	File  string
	Line  int
	Msg   string
	Place bool // not the text is wrong but what it finds: a file, a directory. It may be right later without a change of the text
}

// String is the form that people and editors read: file:line: message.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Msg) }

// Parse reads TOML text. A syntax error leaves an empty tree and one problem.
func Parse(file string, text []byte) *Doc {
	d := &Doc{File: file, root: map[string]any{}}
	if _, err := toml.Decode(string(text), &d.root); err != nil {
		d.root = map[string]any{}
		line, msg := 1, err.Error()
		if pe, ok := err.(toml.ParseError); ok {
			line, msg = pe.Position.Line, pe.Message
			if msg == "" {
				msg = strings.TrimPrefix(pe.Error(), "toml: ")
			}
		}
		d.problems = append(d.problems, Problem{File: file, Line: line, Msg: "not TOML: " + msg})
		return d
	}
	d.lines, d.order = scan(text)
	return d
}

// Root is the whole file as a table. It is made anew: keep it.
func (d *Doc) Root() *Table { return &Table{doc: d, m: d.root} }

// Problems returns the mistakes, by line.
func (d *Doc) Problems() []Problem { return sorted(d.problems) }

// Notes returns what is worth saying and is no mistake, by line.
func (d *Doc) Notes() []Problem { return sorted(d.notes) }

func sorted(ps []Problem) []Problem {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b Problem) int { return a.Line - b.Line })
	return slices.Compact(ps)
}

// line returns the line of a key, or of the nearest table around it.
func (d *Doc) line(path []string) int {
	for n := len(path); n > 0; n-- {
		if l, ok := d.lines[joinPath(path[:n])]; ok {
			return l
		}
	}
	return 1
}

func joinPath(path []string) string { return strings.Join(path, "\x00") }

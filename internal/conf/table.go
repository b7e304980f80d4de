package conf

import (
	"errors"
	"fmt"
	"slices"
)

// Table is one table of the file, with the place to report what is wrong in it.
type Table struct {
	doc  *Doc
	path []string
	m    map[string]any
	bad  map[string]bool // keys already reported: what follows from them is not repeated
	item map[string]bool // of them, those of which only items of the list were reported
	subs map[string]*Table
}

// Has reports whether a key is written in the file.
func (t *Table) Has(key string) bool { _, ok := t.m[key]; return ok }

// Keys returns the table's keys in the order of the file.
func (t *Table) Keys() []string {
	var out []string
	for _, k := range t.doc.order[joinPath(t.path)] {
		if t.Has(k) {
			out = append(out, k)
		}
	}
	return out
}

// Name is the last part of the table's name: "archive" of [sink.archive].
func (t *Table) Name() string {
	if len(t.path) == 0 {
		return ""
	}
	return t.path[len(t.path)-1]
}

// Title is the table's whole name, for messages: sink.archive.
func (t *Table) Title() string {
	s := ""
	for i, p := range t.path {
		if i > 0 {
			s += "."
		}
		s += p
	}
	return s
}

// Sub returns the table under a key; nil if there is none. A value that is no table is reported.
func (t *Table) Sub(key string) *Table {
	if sub, ok := t.subs[key]; ok {
		return sub
	}
	v, ok := t.m[key]
	if !ok {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		t.Errorf(key, "%s is a table: write [%s]", key, t.titleOf(key))
		return nil
	}
	sub := &Table{doc: t.doc, path: append(t.path[:len(t.path):len(t.path)], key), m: m}
	if t.subs == nil {
		t.subs = map[string]*Table{}
	}
	t.subs[key] = sub
	return sub
}

func (t *Table) titleOf(key string) string {
	if len(t.path) == 0 {
		return key
	}
	return t.Title() + "." + key
}

// Text returns a string key without binding it; "" if it is missing or no string.
func (t *Table) Text(key string) string { s, _ := t.m[key].(string); return s }

// List returns the texts of a list without binding it; none if it is missing or no list.
func (t *Table) List(key string) (out []string) {
	items, _ := t.m[key].([]any)
	for _, v := range items {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Values returns the texts in a table below without binding it, in no order; none if it is missing or no table.
func (t *Table) Values(key string) (out []string) {
	items, _ := t.m[key].(map[string]any)
	for _, v := range items {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Errorf reports a mistake at a key, or at the table if the key is not written. The first mistake of a key is kept.
func (t *Table) Errorf(key, format string, args ...any) {
	if key != "" {
		if t.bad[key] {
			return
		}
		if t.bad == nil {
			t.bad = map[string]bool{}
		}
		t.bad[key] = true
	}
	t.doc.problems = append(t.doc.problems, t.problem(key, format, args))
}

// Placef is Errorf for a Problem of the place.
func (t *Table) Placef(key, format string, args ...any) {
	n := len(t.doc.problems)
	t.Errorf(key, format, args...)
	for i := range t.doc.problems[n:] {
		t.doc.problems[n+i].Place = true
	}
}

// Itemf reports a mistake in one item of a list: every item's is kept, unless the list itself is wrong.
func (t *Table) Itemf(key, format string, args ...any) {
	if t.item[key] {
		delete(t.bad, key)
	} else if t.bad[key] {
		return
	}
	t.Errorf(key, format, args...)
	if t.item == nil {
		t.item = map[string]bool{}
	}
	t.item[key] = true
}

// Unique reports the items of a list that are there twice.
func (t *Table) Unique(key string, list []string) {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			t.Itemf(key, "%s: %q is there twice", key, s)
		}
	}
}

// Notef says what is worth knowing about a key and is no mistake.
func (t *Table) Notef(key, format string, args ...any) {
	t.doc.notes = append(t.doc.notes, t.problem(key, format, args))
}

// Awaitf says what a place does not allow at present, where only one part needs it: a disk that is not mounted, a permission that is missing. It is a note
// of the place: edged check fails for it, and a gateway starts all the same, and that part waits.
func (t *Table) Awaitf(key, format string, args ...any) {
	p := t.problem(key, format, args)
	p.Place = true
	t.doc.notes = append(t.doc.notes, p)
}

// Bad reports whether a key was already found wrong.
func (t *Table) Bad(key string) bool { return t.bad[key] }

func (t *Table) problem(key, format string, args []any) Problem {
	path := t.path
	if key != "" {
		path = append(path[:len(path):len(path)], key)
	}
	return Problem{File: t.doc.File, Line: t.doc.line(path), Msg: fmt.Sprintf(format, args...)}
}

// Mistakes is the number of mistakes reported so far in the whole file.
func (t *Table) Mistakes() int { return len(t.doc.problems) }

// CheckName returns what is wrong with the name of a receiver, stream, sink or pin. Names stand in keys, metrics and status
// lines: letters, digits, - and _, at most 64.
func CheckName(name string) error {
	if name == "" || len(name) > 64 {
		return errors.New("a name has 1 to 64 characters")
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return fmt.Errorf("a name is made of letters, digits, - and _; %q is none of them", c)
		}
	}
	return nil
}

// Package expression compiles the expressions of a stream's configuration against the columns of its rows.
//
// The language is expr-lang's. Names are the decoded columns (nested ones with dots), the columns that select made, topic,
// topic[i], time, qos and retain; payload.x is the column x where a built-in has its name. Every column that is named
// gets a slot; the decoder is told which paths to read, so that nothing else of a payload is looked at.
//
// A missing column makes an expression give null, and where false, unless the expression speaks of nil itself (nil, ??,
// ?.): "value != 3" is not true of a message without a value. An operand of the wrong type does the same, and so does an evaluation that
// would take too much memory or time for one payload (bounded.go). x % y is the remainder of any two numbers, whole or not (operators.go).
package expression

import (
	"fmt"
	"slices"
	"strings"

	"edged"
	"edged/batches/decode"
	"edged/internal/conf"
)

// Scope is the set of names that the expressions of one stream may use. The order of calls matters: what Define names is
// seen by the expressions compiled after it.
type Scope struct {
	kind  decode.Kind
	paths [][]string     // of each slot; nil for a computed one
	slots map[string]int // by joined path
	named map[string]int // computed columns
	elem  string         // the column that is an element of a list
	subs  []Subpath      // fields of it
	other joined
	lags  []Lag
	fixed bool     // there are no columns but the computed ones
	names []string // for "did you mean"
	uses  []used
}

// NewScope makes a scope for payloads of one kind.
func NewScope(kind decode.Kind) *Scope {
	return &Scope{kind: kind, slots: map[string]int{}, named: map[string]int{}, names: []string{"topic", "time", "qos", "retain"}}
}

// Paths are the columns that the decoder is to read, by slot; nil for a computed one.
func (s *Scope) Paths() [][]string { return s.paths }

// Define adds a computed column and returns its slot.
func (s *Scope) Define(name string) int {
	s.paths = append(s.paths, nil)
	s.named[name] = len(s.paths) - 1
	s.names = append(s.names, name)
	return len(s.paths) - 1
}

// Element adds the column that is an element of a list, and returns its slot. Fields of it are columns, too: see Subpaths.
func (s *Scope) Element(name string) int {
	s.elem = name
	return s.Define(name)
}

// Subpath is a field of a list's element, or of the joined row, that an expression names.
type Subpath struct {
	Slot int
	Path []string
}

// Subpaths are the fields of the element that the expressions compiled so far name.
func (s *Scope) Subpaths() []Subpath { return s.subs }

// joined is a row of another side.
type joined struct {
	name string
	kind decode.Kind
	subs []Subpath
}

// Join adds the row of another side: name.field is a column, see Joined. Its fields are those that a kind of decoder can produce.
func (s *Scope) Join(name string, kind decode.Kind) { s.other = joined{name: name, kind: kind} }

// Joined are the fields of the joined row that the expressions compiled so far name.
func (s *Scope) Joined() []Subpath { return s.other.subs }

func (s *Scope) joinedField(path []string) (int, error) {
	if len(path) == 0 {
		return 0, fmt.Errorf("%s is the joined row: name one of its fields, such as %s.name", s.other.name, s.other.name)
	}
	if err := s.other.kind.Check(path); err != nil {
		return 0, fmt.Errorf("the joined side: %w", err)
	}
	return s.subpath(&s.other.subs, path), nil
}

// Resolve returns the slot of a name as an expression writes it.
func (s *Scope) Resolve(path []string) (int, error) { return s.resolve(path) }

// Column returns the slot of a decoded column.
func (s *Scope) Column(path []string) (int, error) {
	if s.fixed {
		return 0, fmt.Errorf("there is no column %q in the results%s", strings.Join(path, "."), conf.Suggest(path[0], s.names))
	}
	if err := s.kind.Check(path); err != nil {
		return 0, err
	}
	key := strings.Join(path, "\x00")
	if slot, ok := s.slots[key]; ok {
		return slot, nil
	}
	s.paths = append(s.paths, slices.Clone(path))
	s.slots[key] = len(s.paths) - 1
	return len(s.paths) - 1, nil
}

// resolve returns the slot of a name as an expression writes it: computed columns win over decoded ones.
func (s *Scope) resolve(path []string) (int, error) {
	if slot, ok := s.named[path[0]]; ok && len(path) == 1 {
		return slot, nil
	}
	if path[0] == s.elem && s.elem != "" {
		return s.subpath(&s.subs, path[1:]), nil
	}
	if path[0] == s.other.name && s.other.name != "" {
		return s.joinedField(path[1:])
	}
	return s.Column(path)
}

// subpath is the slot of a field of a row within the row.
func (s *Scope) subpath(of *[]Subpath, path []string) int {
	for _, sub := range *of {
		if slices.Equal(sub.Path, path) {
			return sub.Slot
		}
	}
	s.paths = append(s.paths, nil)
	*of = append(*of, Subpath{len(s.paths) - 1, slices.Clone(path)})
	return len(s.paths) - 1
}

// typeOf is the type of a slot, Absent if it can be any.
func (s *Scope) typeOf(slot int) edged.Kind {
	if s.paths[slot] == nil {
		return edged.Absent
	}
	return s.kind.TypeOf(s.paths[slot])
}

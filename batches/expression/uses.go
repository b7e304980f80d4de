package expression

import (
	"slices"
	"strings"

	"edged"
)

// Use is an expression that was compiled, with what it reads.
type Use struct {
	Text    string
	Columns []Column // without what select computed, by their first appearance
}

// Column is a column that comes with the payload, or a field of a list's element, as expressions name it.
type Column struct {
	Name string
	Type edged.Kind // Absent if it can be any
}

type used struct {
	text string
	expr *Expr
}

// Uses are the expressions compiled so far, in that order.
func (s *Scope) Uses() []Use {
	out := make([]Use, len(s.uses))
	for i, u := range s.uses {
		out[i] = Use{u.text, s.reads(nil, u.expr)}
	}
	return out
}

// reads adds to columns what an expression reads; lag(x) reads x.
func (s *Scope) reads(columns []Column, x *Expr) []Column {
	for _, slot := range x.columns {
		if i := slices.IndexFunc(s.lags, func(l Lag) bool { return l.Slot == slot }); i >= 0 {
			columns = s.reads(columns, s.lags[i].Of)
		}
		if c := (Column{s.nameOf(slot), s.typeOf(slot)}); c.Name != "" && !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// nameOf is the name of a column that comes with the payload; "" if it is computed.
func (s *Scope) nameOf(slot int) string {
	if s.paths[slot] != nil {
		return strings.Join(s.paths[slot], ".")
	}
	for _, sub := range s.subs {
		if sub.Slot == slot {
			return strings.Join(append([]string{s.elem}, sub.Path...), ".")
		}
	}
	for _, sub := range s.other.subs {
		if sub.Slot == slot {
			return strings.Join(append([]string{s.other.name}, sub.Path...), ".")
		}
	}
	return ""
}

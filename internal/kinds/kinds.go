// Package kinds holds the explicit lists of what a configuration can name with `type =` or `decode =`.
package kinds

import "edged/internal/conf"

// Kind is one entry of such a list. New returns a config that holds the defaults; binding, checks, help and the reference
// are made from it.
type Kind[C any] struct {
	Name string
	Doc  string // one line
	New  func() C
}

// List is a room's list; its order is that of the help.
type List[C any] []Kind[C]

// Find returns the kind of that name.
func (l List[C]) Find(name string) (Kind[C], bool) {
	for _, k := range l {
		if k.Name == name {
			return k, true
		}
	}
	return Kind[C]{}, false
}

// Names lists the names.
func (l List[C]) Names() []string {
	names := make([]string, len(l))
	for i, k := range l {
		names[i] = k.Name
	}
	return names
}

// Pick finds the kind that a table names under key. It reports a missing or unknown name and returns false.
func Pick[C any](t *conf.Table, key string, l List[C]) (Kind[C], bool) {
	name := t.Text(key)
	if k, ok := l.Find(name); ok {
		return k, true
	}
	switch {
	case !t.Has(key):
		t.Errorf(key, "[%s] needs %s: %s", t.Title(), key, conf.Alternatives(l.Names()))
	case name == "":
		t.Errorf(key, "%s: want %s", key, conf.Alternatives(l.Names()))
	default:
		t.OneOf(key, name, l.Names()...)
	}
	return Kind[C]{}, false
}

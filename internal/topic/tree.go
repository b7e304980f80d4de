package topic

import (
	"slices"
	"strings"
)

// Tree holds values by topic filter, and finds those whose filter matches a topic. What that costs goes with the levels of the topic and
// with what matches, not with the number of filters; it allocates nothing, and remembers nothing of the topics that it was asked for. The zero
// value is empty. Filters are valid (CheckFilter). Add and Remove need it for themselves; Append does not.
type Tree[V comparable] struct{ root node[V] }

// node is what stands behind some levels.
type node[V comparable] struct {
	few  []child[V]          // the next level by its text, while there are few
	many map[string]*node[V] // all of them, when there are more
	plus *node[V]            // behind +
	here []V                 // whose filters end here
	rest []V                 // whose filters end here with #
}

type child[V comparable] struct {
	level string
	to    *node[V]
}

// fewChildren are looked through faster than hashed.
const fewChildren = 6

// Add adds a value.
func (t *Tree[V]) Add(filter string, v V) {
	n, rest := &t.root, filter
	for more := true; more; {
		var level string
		switch level, rest, more = strings.Cut(rest, "/"); level {
		case "#":
			n.rest = append(n.rest, v)
			return
		case "+":
			if n.plus == nil {
				n.plus = &node[V]{}
			}
			n = n.plus
		default:
			n = n.grow(level)
		}
	}
	n.here = append(n.here, v)
}

// Remove takes a value away that was added with this filter; what is not there is no mistake.
func (t *Tree[V]) Remove(filter string, v V) { t.root.remove(filter, true, v) }

// remove takes v away below n.
func (n *node[V]) remove(filter string, more bool, v V) {
	if !more {
		n.here = without(n.here, v)
		return
	}
	level, rest, more := strings.Cut(filter, "/")
	if level == "#" {
		n.rest = without(n.rest, v)
		return
	}
	next := n.next(level)
	if level == "+" {
		next = n.plus
	}
	if next == nil {
		return
	}
	if next.remove(rest, more, v); !next.empty() {
		return
	}
	switch {
	case level == "+":
		n.plus = nil
	case n.many != nil:
		if delete(n.many, level); len(n.many) == 0 {
			n.many = nil
		}
	default:
		n.few = slices.DeleteFunc(n.few, func(c child[V]) bool { return c.level == level })
	}
}

func without[V comparable](s []V, v V) []V {
	if i := slices.Index(s, v); i >= 0 {
		s = slices.Delete(s, i, i+1)
	}
	if len(s) == 0 {
		return nil
	}
	return s
}

func (n *node[V]) empty() bool {
	return len(n.few)+len(n.many)+len(n.here)+len(n.rest) == 0 && n.plus == nil
}

// next is what stands behind a level; nil if nothing does.
func (n *node[V]) next(level string) *node[V] {
	if n.many != nil {
		return n.many[level]
	}
	for i := range n.few {
		if n.few[i].level == level {
			return n.few[i].to
		}
	}
	return nil
}

func (n *node[V]) grow(level string) *node[V] {
	to := n.next(level)
	if to != nil {
		return to
	}
	to, level = &node[V]{}, strings.Clone(level)
	switch {
	case n.many != nil:
		n.many[level] = to
	case len(n.few) < fewChildren:
		n.few = append(n.few, child[V]{level, to})
	default:
		n.many = map[string]*node[V]{level: to}
		for _, c := range n.few {
			n.many[c.level] = c.to
		}
		n.few = nil
	}
	return to
}

// Append appends the values whose filters match a valid topic name, one that was added under several of them as often, in an order
// that depends on what was added and removed only.
func (t *Tree[V]) Append(to []V, name string) []V {
	if name != "" && name[0] == '$' { // [MQTT-4.7.2-1]
		level, rest, more := strings.Cut(name, "/")
		if n := t.root.next(level); n != nil {
			to = n.append(to, rest, more)
		}
		return to
	}
	return t.root.append(to, name, true)
}

// append appends what matches from n on; without more, the topic has ended there.
func (n *node[V]) append(to []V, name string, more bool) []V {
	for {
		to = append(to, n.rest...) // "a/#" also matches "a"
		if !more {
			return append(to, n.here...)
		}
		if n.plus == nil && n.few == nil && n.many == nil {
			return to
		}
		var level string
		if i := strings.IndexByte(name, '/'); i >= 0 {
			level, name = name[:i], name[i+1:]
		} else {
			level, more = name, false
		}
		next := n.next(level)
		switch {
		case next == nil && n.plus == nil:
			return to
		case next == nil:
			n = n.plus
		case n.plus == nil:
			n = next
		default:
			to, n = n.plus.append(to, name, more), next
		}
	}
}

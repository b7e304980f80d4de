package topic

// Filters hold values by topic filter, and find those whose filter matches a topic: a few are held against it one by one, which is faster, and more of them
// stand in a Tree. The zero value is empty. Filters are valid (CheckFilter). Add needs it for itself; the others do not.
type Filters[V comparable] struct {
	few  []filtered[V]
	many *Tree[V] // all of them, when there are more than a few
}

type filtered[V comparable] struct {
	filter string
	v      V
}

const fewFilters = 4

// NewFilters makes it of filters of which only whether one matches is asked.
func NewFilters(filters []string) (f Filters[struct{}]) {
	for _, filter := range filters {
		f.Add(filter, struct{}{})
	}
	return f
}

// Add adds a value.
func (f *Filters[V]) Add(filter string, v V) {
	if f.many == nil && len(f.few) < fewFilters {
		f.few = append(f.few, filtered[V]{filter, v})
		return
	}
	if f.many == nil {
		f.many = &Tree[V]{}
		for _, k := range f.few {
			f.many.Add(k.filter, k.v)
		}
		f.few = nil
	}
	f.many.Add(filter, v)
}

// Append appends the values whose filters match a valid topic name, one that was added under several of them as often.
func (f *Filters[V]) Append(to []V, name string) []V {
	if f.many != nil {
		return f.many.Append(to, name)
	}
	for _, k := range f.few {
		if Match(k.filter, name) {
			to = append(to, k.v)
		}
	}
	return to
}

// Match reports whether one of them matches a valid topic name.
func (f *Filters[V]) Match(name string) bool {
	var room [8]V
	return len(f.Append(room[:0], name)) > 0
}

package pages

// Set is a set of page numbers.
type Set []uint64

func newSet(n uint64) Set { return make(Set, (n+63)/64) }

// Has reports whether a page is in the set.
func (s Set) Has(id uint64) bool { return id/64 < uint64(len(s)) && s[id/64]&(1<<(id%64)) != 0 }

// add adds a page, and returns false if it was there, or there is no room for it.
func (s Set) add(id uint64) bool {
	if id/64 >= uint64(len(s)) || s.Has(id) {
		return false
	}
	s[id/64] |= 1 << (id % 64)
	return true
}

// Union adds the pages of t.
func (s Set) Union(t Set) {
	for i := range min(len(s), len(t)) {
		s[i] |= t[i]
	}
}

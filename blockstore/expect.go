package blockstore

import (
	"maps"

	"edged"
)

// Expect says by which cursors the consumers that there are to be will hold the logs. Until each of them was committed nothing is freed: what comes
// before a new consumer has opened is its, too, and by then another one may have passed it. It replaces what was expected; it is called before
// Run, and after that it is Rewire's.
func (s *Store) Expect(cursors []string) {
	s.expected = make(map[string]bool, len(cursors))
	for _, name := range cursors {
		s.expected[name] = true
	}
}

// awaits reports whether an expected cursor is not among those that there are, or are about to be.
func (s *Store) awaits(cursors map[string]edged.Cursor) bool {
	for name := range s.expected {
		if _, there := cursors[name]; !there {
			return true
		}
	}
	return false
}

// came notes which of the expected cursors are durable.
func (s *Store) came(cursors map[string]edged.Cursor) {
	maps.DeleteFunc(s.expected, func(name string, _ bool) bool { _, there := cursors[name]; return there })
}

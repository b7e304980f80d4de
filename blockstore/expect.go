package blockstore

import (
	"maps"
	"slices"
	"time"

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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expecting = time.Now()
	s.came(s.pub.cursors)
}

// Awaited are the cursors that were expected and have not come, and since when.
func (s *Store) Awaited() (names []string, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pub.awaited, s.expecting
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

// came notes which of the expected cursors are durable. It is called with s.mu.
func (s *Store) came(cursors map[string]edged.Cursor) {
	before := len(s.expected)
	maps.DeleteFunc(s.expected, func(name string, _ bool) bool { _, there := cursors[name]; return there })
	if len(s.expected) < before || len(s.expected) != len(s.pub.awaited) {
		s.pub.awaited = slices.Sorted(maps.Keys(s.expected))
	}
}

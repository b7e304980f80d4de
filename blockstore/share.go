package blockstore

import "edged"

// What a round takes of the blocks that wait, about. A transaction holds its blocks three times: as they are, encoded, and in the library's pages. So
// where much waits it is stored in rounds of this size, one behind the other: each costs a few pages and a sync, which is little beside it. The first
// block of a source is taken whatever its size, so that none waits behind the others' for ever.
const (
	roundBytes = 2 << 20
	leastShare = 64 << 10
)

// share cuts a source for a round that has taken so many bytes. room is what the disk has left for it.
func share(src edged.Source, taken, room int64) edged.Handover {
	limit := min(room, max(roundBytes-taken, leastShare))
	h := src.Cut(limit)
	for len(h.Parcels) == 0 && h.Left > 0 && limit < room {
		limit = min(room, 2*limit)
		h = src.Cut(limit)
	}
	return h
}

// takesAll reports whether the round is to take everything that waits, however much it is: somebody waits for that (Flush), or it is one of the last.
func (s *Store) takesAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.queue {
		if p.all {
			return true
		}
	}
	return s.draining
}

package blockstore

import "edged"

// What the committer does for chained streams, besides putting their blocks into the log (docs/adr/0019-chains.md).

// given is how far a chained stream has come: before the moment, everything that it gave is committed.
type given struct {
	stream string
	at     edged.Instant
}

// chainShare is how many quarters of the reserve the blocks of chained streams may take. The rest is for what makes room again: the cursors, and the checkpoints
// of the streams that take from them, without which those blocks would stay.
const chainShare = 3

// sizeOf is the room that blocks take: small ones share a page.
func sizeOf(blocks []*edged.Block) (size int64) {
	for _, b := range blocks {
		if n := b.Size(); n < pageSize/4 {
			size += n + pageSize/16
		} else {
			size += n + pageSize
		}
	}
	return size
}

// giver is the rider that gives a chained stream's blocks; nil if there is none.
func (s *Store) giver(stream string) edged.Giver {
	for _, rd := range s.riders {
		if g, ok := rd.(edged.Giver); ok {
			if name, _, gives := g.Gives(); gives && name == stream {
				return g
			}
		}
	}
	return nil
}

// chains asks how far the chained streams have come. What a stream gave before that is committed, and what it gives later is committed behind the tick
// that says so.
func (s *Store) chains() (out []given) {
	for _, rd := range s.riders {
		if g, ok := rd.(edged.Giver); ok {
			if name, at, gives := g.Gives(); gives && !at.IsZero() {
				out = append(out, given{name, at})
			}
		}
	}
	return out
}

// wanted reports whether a tick would satisfy what the newest one does not: the wait itself, or what a chained stream that it is about must know to come so
// far. A stream that the newest tick tells enough has only to read it. steps bounds the length of a chain.
func (s *Store) wanted(w edged.Wait, now *edged.Tick, steps int) bool {
	switch {
	case w.Satisfied(s.lastTick):
		return false
	case w.Satisfied(now):
		return true
	case steps == 0:
		return false
	}
	for _, name := range w.Receivers {
		if at, ok := now.Cut(name); ok && !at.Before(w.Until) {
			continue
		}
		if g := s.giver(name); g != nil {
			if before, ok := g.Reach(w.Until); ok && s.wanted(before, now, steps-1) {
				return true
			}
		}
	}
	return false
}

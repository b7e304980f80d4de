package batches

import (
	"encoding/binary"
	"sort"

	"edged"
)

// Sessions in a checkpoint: s + number + group's key, and the lot. The number is 8 bytes, big-endian; it names a session for as long as it is open,
// whatever its times come to be.

const sessionKeyLen = 1 + 8

func (l *sitting) saveKey() string {
	return string(append(binary.BigEndian.AppendUint64([]byte{'s'}, l.id), l.key...))
}

// changes implements state.
func (s *sessions) changes(put func(key string, value []byte)) {
	for _, key := range s.gone {
		put(key, nil)
	}
	s.gone = nil
	for _, l := range s.ends {
		if l.dirty {
			put(l.saveKey(), l.append(nil))
			l.dirty, l.saved = false, true
		}
	}
}

// appendHeader implements state.
func (s *sessions) appendHeader(b []byte) []byte { return s.early.appendHeader(b) }
func (s *sessions) readHeader(r *headerReader)   { s.early.readHeader(r) }

// load implements state.
func (s *sessions) load(key string, value []byte, err error) loss {
	if len(key) < sessionKeyLen || key[0] != 's' {
		return unknown
	}
	id := binary.BigEndian.Uint64([]byte(key[1:sessionKeyLen]))
	s.next = max(s.next, id+1) // also of what cannot be read: the next checkpoint deletes it under that name
	l, err := s.p.readLot(key[sessionKeyLen:], value, err)
	if err != nil {
		return unknown // when it was is lost with it
	}
	open := &sitting{lot: *l, id: id}
	list := s.byKey[l.key]
	s.put(open, sort.Search(len(list), func(i int) bool { return inOrderOfTime(open, list[i]) < 0 }))
	if l.fresh {
		s.fresh = append(s.fresh, open)
	}
	return nothing
}

// tear implements state. What is there now is marked for good. A session that begins less than a gap after at may have begun earlier: it is marked
// as long as this state lives.
func (s *sessions) tear(at edged.Instant) {
	s.torn = at
	for _, l := range s.ends {
		l.incomplete, l.dirty = true, true
	}
}

func (s *sessions) isTorn(l *sitting) bool { return s.p.before(l.epoch, l.first-s.gap, s.torn) }

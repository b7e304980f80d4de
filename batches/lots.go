package batches

import (
	"strings"

	"edged"
)

// keyedLots are open lots of which each group has one.
//
// In a checkpoint: k + group's key, and the lot.
type keyedLots struct {
	p     *Plan
	byKey map[string]*lot
	gone  []string // keys that the last checkpoint has of what has left

	torn edged.Instant // those that begin before may be incomplete
}

// of returns the lot of a row's group, which may be a new one; nil if that would be one group too many.
func (s *keyedLots) of(in *arrived) *lot {
	l := s.byKey[string(in.key)]
	if l == nil && len(s.byKey) < s.p.groups {
		l = s.p.newLot(in)
		s.byKey[l.key] = l
	}
	return l
}

// forget takes a lot out.
func (s *keyedLots) forget(l *lot) {
	delete(s.byKey, l.key)
	if l.saved {
		s.gone = append(s.gone, l.key)
	}
}

func (s *keyedLots) changes(put func(key string, value []byte)) {
	for _, key := range s.gone { // before what came in its place
		put("k"+key, nil)
	}
	s.gone = nil
	for _, l := range s.byKey {
		if l.dirty {
			put("k"+l.key, l.append(nil))
			l.dirty, l.saved = false, true
		}
	}
}

// load takes a value of the checkpoint back. Of a lot that cannot be read the group is known: it goes on from nothing, and says partial.
func (s *keyedLots) load(key string, value []byte, err error) (*lot, loss) {
	if !strings.HasPrefix(key, "k") {
		return nil, unknown
	}
	l, err := s.p.readLot(key[1:], value, err)
	is := nothing
	if err != nil {
		if l, is = s.p.hollowLot(key[1:]), marked; l == nil {
			return nil, unknown
		}
	}
	s.byKey[l.key] = l
	return l, is
}

// tear marks what is there for good, and what begins before at for as long as this state lives.
func (s *keyedLots) tear(at edged.Instant) {
	s.torn = at
	for _, l := range s.byKey {
		l.incomplete, l.dirty = true, true
	}
}

func (s *keyedLots) isTorn(l *lot) bool { return s.p.before(l.epoch, l.first, s.torn) }

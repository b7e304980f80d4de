package batches

import (
	"maps"
	"slices"

	"edged"
)

// counted is the state of count windows: so many rows of one group, in the order of the log, whatever their times. No row is late. A window leaves at
// the end of the entry that brought its last row, and those that are full by then leave in the order in which they became full. One that does not fill
// waits for ever.
//
// Its window begins with the earliest time of its rows and ends 1 ns after the latest; in a window that spans a step of the clock those may be of
// different epochs, and it is counted to the latest. A rate begins with the window's first row: what came before is not kept.
type counted struct {
	p    *Plan
	open keyedLots
	full []*lot
}

func newCounted(p *Plan) *counted {
	return &counted{p: p, open: keyedLots{p: p, byKey: map[string]*lot{}}}
}

// add implements state.
func (s *counted) add(in *arrived) fate {
	l := s.open.of(in)
	if l == nil {
		return isDropped
	}
	l.add(in, s.p.epochOf(in))
	if l.n >= s.p.window.Rows {
		s.open.forget(l)
		s.full = append(s.full, l)
	}
	return isApplied
}

// advance implements state.
func (s *counted) advance(_ edged.Instant, out *output) {
	for i, l := range s.full {
		l.give(out, l.span(), s.open.isTorn(l))
		s.full[i] = nil
	}
	s.full = s.full[:0]
}

// closeAll implements state.
func (s *counted) closeAll(out *output) {
	for _, l := range slices.SortedFunc(maps.Values(s.open.byKey), (*lot).compare) {
		if l.n > 0 {
			l.give(out, l.span(), true)
		}
		s.open.forget(l)
	}
}

func (s *counted) awaits() (at edged.Instant, ok bool)        { return at, false }
func (s *counted) count() int                                 { return len(s.open.byKey) }
func (s *counted) empty() bool                                { return len(s.open.byKey) == 0 }
func (s *counted) changes(put func(key string, value []byte)) { s.open.changes(put) }
func (s *counted) appendHeader(b []byte) []byte               { return b }
func (s *counted) readHeader(*headerReader)                   {}
func (s *counted) load(key string, v []byte, err error) loss {
	_, is := s.open.load(key, v, err)
	return is
}
func (s *counted) tear(at edged.Instant) { s.open.tear(at) }

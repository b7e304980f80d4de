package batches

import (
	"cmp"
	"slices"

	"edged"
)

// The windows of a sliding kind share most of what is in them. Accumulators can be joined and not taken apart again, so that a window is put together
// of two: what is before the multiple of the window's size that lies in it, and what is from there on. The first one is the end of a row of joins that were
// made backwards from that place, once for all windows around it; the second one grows by a pane from window to window. So a group costs about three
// joins a step, however many panes a window has (van Herk 1992; Tangwongsan and others, VLDB 2015, have the same for queues).
//
// The place depends on the window alone. So what is joined with what, and with it the last bit of a sum, does not depend on when the gateway was
// restarted.

// slides are the groups that are in the windows of one epoch.
type slides struct {
	byKey    map[string]*slide
	order    []*slide // of their values
	unsorted bool
}

// slide is a group in the sliding windows.
type slide struct {
	group // its key and values
	parts []part
	stale bool                  // what was joined is not what the parts are now
	place int64                 // the multiple of the size
	ends  [][]edged.Accumulator // of each part before the place: it and those after it, up to the place
	grown []edged.Accumulator   // of the parts from the place on, before upto; nil if there are none
	upto  int64
}

// part is the group in a pane.
type part struct {
	start int64
	*group
}

// slid takes note of a group that a pane has now.
func (s *panes) slid(p *pane, g *group) {
	if s.p.window.PaneSize() == s.p.window.Size {
		return
	}
	in := s.slides[p.epoch]
	if in == nil {
		in = &slides{byKey: map[string]*slide{}}
		s.slides[p.epoch] = in
	}
	l := in.byKey[g.key]
	if l == nil {
		l = &slide{group: group{key: g.key, values: g.values}, stale: true}
		in.byKey[g.key] = l
		in.order, in.unsorted = append(in.order, l), true
	}
	at, _ := slices.BinarySearchFunc(l.parts, p.start, func(p part, start int64) int { return cmp.Compare(p.start, start) })
	l.parts = slices.Insert(l.parts, at, part{p.start, g})
	g.slide = l
	l.touched(p.start)
}

// touched is called when the part that begins at start changes.
func (l *slide) touched(start int64) { l.stale = l.stale || start < l.upto }

// sorted are the groups that may be in a window, in the order of their values. Groups without a part from the window's start on are forgotten.
func (s *panes) sorted(win edged.Window) []*slide {
	in := s.slides[win.Epoch]
	if in == nil {
		return nil
	}
	in.order = slices.DeleteFunc(in.order, func(l *slide) bool {
		l.leaveOut(win.Start)
		if len(l.parts) == 0 {
			delete(in.byKey, l.key)
		}
		return len(l.parts) == 0
	})
	if in.unsorted {
		slices.SortFunc(in.order, func(a, b *slide) int { return a.compare(&b.group) })
		in.unsorted = false
	}
	return in.order
}

// leaveOut drops the parts before a window.
func (l *slide) leaveOut(start int64) {
	n := 0
	for n < len(l.parts) && l.parts[n].start < start {
		n++
	}
	l.parts, l.ends = behead(l.parts, n), behead(l.ends, min(n, len(l.ends)))
}

// behead drops the first n, and moves nothing.
func behead[T any](list []T, n int) []T {
	clear(list[:n])
	return list[n:]
}

// of is the group in the window whose earliest parts come first; false if it has none. It is valid until the next call.
func (l *slide) of(p *Plan, win edged.Window) bool {
	if l.parts[0].start >= win.End {
		return false
	}
	if place := p.window.Place(win.Start); l.stale || l.place != place {
		l.join(p, place)
	}
	for i := len(l.ends); i < len(l.parts) && l.parts[i].start < win.End; i++ {
		if l.parts[i].start < l.upto {
			continue
		}
		if l.grown == nil {
			l.grown = p.newAccs()
		}
		merge(l.grown, l.parts[i].accs)
	}
	l.upto = win.End
	switch {
	case len(l.ends) == 0:
		l.accs = l.grown
	case l.grown == nil:
		l.accs = l.ends[0]
	default:
		l.accs = p.newAccs()
		merge(l.accs, l.ends[0])
		merge(l.accs, l.grown)
	}
	return true
}

// join begins anew around a place.
func (l *slide) join(p *Plan, place int64) {
	n := 0
	for n < len(l.parts) && l.parts[n].start < place {
		n++
	}
	l.ends = slices.Grow(l.ends[:0], n)[:n]
	for i := n - 1; i >= 0; i-- {
		l.ends[i] = p.newAccs()
		merge(l.ends[i], l.parts[i].accs)
		if i+1 < n {
			merge(l.ends[i], l.ends[i+1])
		}
	}
	l.place, l.upto, l.grown, l.stale = place, place, nil, false
}

func merge(into, later []edged.Accumulator) {
	for i := range into {
		into[i].Merge(later[i])
	}
}

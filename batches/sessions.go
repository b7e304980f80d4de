package batches

import (
	"container/heap"
	"slices"
	"sort"

	"edged"
)

// sessions is the state of session windows: stretches of one group in which no row is further than the gap from the one before it, by their times.
//
// A row reaches from its time to its time plus the gap, and belongs to the session that this touches. If it touches two, it joins them. Then its
// time lies between the two, and nothing of one is between rows of the other: earlier.Merge(later) joins disjoint stretches in the order of time. Within
// a session rows count in the order of the log, so that first and last are the first and last that came, and a rate leaves out what came out of order. A
// session has no stretch before it from which a rate could begin.
//
// A session's window begins with its earliest row and ends a gap after its latest. On arrival time, a session is of one epoch.
type sessions struct {
	p     *Plan
	gap   int64
	byKey map[string][]*sitting // by group, in the order of time
	ends  sittings
	early early
	fresh []*sitting // have changed since they were last given; some of them may have left or been joined
	gone  []string   // keys that the last checkpoint has of what has left
	next  uint64     // number of the next session

	torn edged.Instant // see tear
}

// sitting is an open session.
type sitting struct {
	lot
	id   uint64 // its name in the checkpoint
	due  int64  // where it is sorted in by its end: it ends then or later
	at   int    // its place among those that wait
	over bool
}

func newSessions(p *Plan) *sessions {
	return &sessions{p: p, gap: p.window.Gap, byKey: map[string][]*sitting{}, early: early{every: p.early}}
}

// add implements state.
func (s *sessions) add(in *arrived) fate {
	epoch := s.p.epochOf(in)
	list := s.byKey[string(in.key)]
	i := sort.Search(len(list), func(i int) bool {
		l := list[i]
		return l.epoch > epoch || l.epoch == epoch && in.at < l.last+s.gap
	})
	touches := func(i int) bool { return i < len(list) && list[i].epoch == epoch && list[i].first < in.at+s.gap }
	if !touches(i) {
		return s.begin(in, epoch, i)
	}
	l := list[i]
	l.add(in, epoch)
	s.changed(l)
	if touches(i + 1) {
		later := list[i+1]
		l.merge(&later.lot)
		s.byKey[l.key] = slices.Delete(list, i+1, i+2)
		s.forget(later)
		heap.Remove(&s.ends, later.at)
	}
	return isApplied
}

// begin opens a session with its first row, at a place among those of its group. It is late if the session would have ended.
func (s *sessions) begin(in *arrived, epoch uint32, place int) fate {
	if s.p.time.field != nil && !in.watermark.Before(edged.Instant{Wall: in.at + s.gap}) {
		return isLate
	}
	if len(s.ends) >= s.p.groups {
		return isDropped
	}
	l := &sitting{lot: *s.p.newLot(in), id: s.next}
	s.next++
	l.add(in, epoch)
	s.put(l, place)
	s.changed(l)
	return isApplied
}

// put puts an open session at a place among those of its group.
func (s *sessions) put(l *sitting, place int) {
	s.byKey[l.key] = slices.Insert(s.byKey[l.key], place, l)
	l.due = l.last + s.gap
	heap.Push(&s.ends, l)
}

func (s *sessions) changed(l *sitting) {
	if s.early.every > 0 && !l.fresh {
		l.fresh = true
		s.fresh = append(s.fresh, l)
	}
}

// forget takes note that a session is no more.
func (s *sessions) forget(l *sitting) {
	l.over = true
	if l.saved {
		s.gone = append(s.gone, l.saveKey())
	}
}

// soonest is the open session that ends next, nil if there is none.
func (s *sessions) soonest() *sitting {
	for len(s.ends) > 0 {
		l := s.ends[0]
		if l.due == l.last+s.gap {
			return l
		}
		l.due = l.last + s.gap // it went on since it was sorted in
		heap.Fix(&s.ends, 0)
	}
	return nil
}

// awaits implements state: it is when the next session ends.
func (s *sessions) awaits() (at edged.Instant, ok bool) {
	if l := s.soonest(); l != nil {
		at, ok = edged.Instant{Epoch: l.epoch, Wall: l.due}, true
	}
	return s.early.awaits(len(s.fresh) > 0, at, ok)
}

// advance implements state: every session that has ended by w leaves, in the order of their ends, then of their groups. Then, if it is time for it,
// what else has changed shows itself.
func (s *sessions) advance(w edged.Instant, out *output) {
	for l := s.soonest(); l != nil && !w.Before(edged.Instant{Epoch: l.epoch, Wall: l.due}); l = s.soonest() {
		s.leave(l, out, false)
	}
	if !s.early.due(w) {
		return
	}
	s.fresh = slices.DeleteFunc(s.fresh, func(l *sitting) bool { return l.over })
	slices.SortFunc(s.fresh, inOrderOfTime)
	for _, l := range s.fresh {
		l.show(out, s.window(l), s.isTorn(l))
	}
	s.fresh = s.fresh[:0]
}

// closeAll implements state.
func (s *sessions) closeAll(out *output) {
	for l := s.soonest(); l != nil; l = s.soonest() {
		s.leave(l, out, true)
	}
}

func (s *sessions) window(l *sitting) edged.Window {
	return edged.Window{Epoch: l.epoch, Start: l.first, End: l.last + s.gap}
}

// leave gives the session that ends next.
func (s *sessions) leave(l *sitting, out *output, partial bool) {
	heap.Pop(&s.ends)
	l.give(out, s.window(l), partial || s.isTorn(l))
	s.forget(l)
	list := s.byKey[l.key]
	if list = slices.DeleteFunc(list, func(o *sitting) bool { return o == l }); len(list) == 0 {
		delete(s.byKey, l.key)
	} else {
		s.byKey[l.key] = list
	}
}

func (s *sessions) count() int  { return len(s.ends) }
func (s *sessions) empty() bool { return len(s.ends) == 0 }

// inOrderOfTime is the order in which sessions show themselves: by their beginnings, then by what they are grouped by.
func inOrderOfTime(a, b *sitting) int {
	if c := (edged.Instant{Epoch: a.epoch, Wall: a.first}).Compare(edged.Instant{Epoch: b.epoch, Wall: b.first}); c != 0 {
		return c
	}
	return a.lot.compare(&b.lot)
}

// sittings are open sessions by when they end, and then by what they are grouped by: a heap. A session that goes on is left where it is, and put
// right when its turn comes, so that a row costs no sorting.
type sittings []*sitting

func (h sittings) Len() int           { return len(h) }
func (h sittings) Less(i, j int) bool { return compareSittings(h[i], h[j]) < 0 }

func compareSittings(a, b *sitting) int {
	if c := (edged.Instant{Epoch: a.epoch, Wall: a.due}).Compare(edged.Instant{Epoch: b.epoch, Wall: b.due}); c != 0 {
		return c
	}
	return a.lot.compare(&b.lot)
}

func (h sittings) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *sittings) Push(x any) {
	l := x.(*sitting)
	l.at = len(*h)
	*h = append(*h, l)
}

func (h *sittings) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}

package batches

import (
	"container/heap"
	"maps"
	"slices"

	"edged"
)

// running is the state of aggregates since the stream began (Spark: updateStateByKey). A group that has changed gives a result at the end of the
// entry that changed it, or, with emit_every, at its next point, numbered as revisions of one another. No row is late: what came out of order in the
// log is added in the order of the log.
//
// The window begins with the earliest time of the group's rows and ends 1 ns after the latest. A rate is that of the whole time.
//
// With expire, a group is forgotten when the watermark is so much later than its latest row; if it has not been given since it changed, it is then. A
// step of the clock tells nothing of how long a group was silent: the time counts anew from the watermark's first moment in the new epoch.
type running struct {
	p     *Plan
	lots  keyedLots
	idle  silences // groups by how long they have had no row; empty without expire
	early early
	anew  edged.Instant // with expire: the first watermark in its epoch, if that is not the first
	fresh []*lot        // have changed since they were last given
}

func newRunning(p *Plan) *running {
	return &running{p: p, lots: keyedLots{p: p, byKey: map[string]*lot{}}, early: early{every: p.early}}
}

// add implements state.
func (s *running) add(in *arrived) fate {
	l := s.lots.of(in)
	if l == nil {
		return isDropped
	}
	isNew := l.n == 0
	l.add(in, s.p.epochOf(in))
	if isNew {
		s.watch(l)
	}
	if !l.fresh {
		l.fresh = true
		s.fresh = append(s.fresh, l)
	}
	return isApplied
}

// advance implements state.
func (s *running) advance(w edged.Instant, out *output) {
	if s.early.every == 0 || s.early.due(w) {
		s.give(out, false)
	}
	if s.p.expire == 0 {
		return
	}
	if w.Epoch > s.anew.Epoch {
		s.anew = w
	}
	for l := s.quietest(); l != nil && !w.Before(s.idle[0].due); l = s.quietest() {
		heap.Pop(&s.idle)
		if l.fresh {
			l.show(out, l.span(), s.lots.isTorn(l))
		}
		s.lots.forget(l)
	}
}

// quietest is the group that is to be forgotten next, nil if there is none.
func (s *running) quietest() *lot {
	for len(s.idle) > 0 {
		top := &s.idle[0]
		due := s.due(top.lot)
		if due == top.due {
			return top.lot
		}
		top.due = due // it had rows since it was sorted in
		heap.Fix(&s.idle, 0)
	}
	return nil
}

// due is when a group is forgotten if it gets no row.
func (s *running) due(l *lot) edged.Instant {
	from := edged.Instant{Epoch: l.epoch, Wall: l.recent}
	if l.epoch < s.anew.Epoch {
		from = s.anew
	}
	return edged.Instant{Epoch: from.Epoch, Wall: from.Wall + s.p.expire}
}

func (s *running) watch(l *lot) {
	if s.p.expire > 0 {
		heap.Push(&s.idle, silence{l, s.due(l)})
	}
}

// give gives what has changed, in the order of its keys.
func (s *running) give(out *output, partial bool) {
	s.fresh = slices.DeleteFunc(s.fresh, func(l *lot) bool { return !l.fresh }) // was forgotten
	slices.SortFunc(s.fresh, (*lot).compare)
	for i, l := range s.fresh {
		if s.early.every > 0 {
			l.show(out, l.span(), partial || s.lots.isTorn(l))
		} else {
			l.give(out, l.span(), partial || s.lots.isTorn(l))
			l.fresh = false
		}
		s.fresh[i] = nil
	}
	s.fresh = s.fresh[:0]
}

// closeAll implements state. What has been given and has not changed since does not leave again.
func (s *running) closeAll(out *output) {
	s.give(out, true)
	for _, l := range slices.Collect(maps.Values(s.lots.byKey)) {
		s.lots.forget(l)
	}
	s.idle = nil
}

func (s *running) awaits() (at edged.Instant, ok bool) {
	return s.early.awaits(len(s.fresh) > 0, at, false)
}

func (s *running) count() int                                 { return len(s.lots.byKey) }
func (s *running) empty() bool                                { return len(s.lots.byKey) == 0 }
func (s *running) changes(put func(key string, value []byte)) { s.lots.changes(put) }
func (s *running) tear(at edged.Instant)                      { s.lots.tear(at) }

// appendHeader implements state.
func (s *running) appendHeader(b []byte) []byte {
	b = s.early.appendHeader(b)
	if s.p.expire > 0 {
		b = appendInstant(b, s.anew)
	}
	return b
}

// readHeader implements state.
func (s *running) readHeader(r *headerReader) {
	s.early.readHeader(r)
	if s.p.expire > 0 {
		s.anew = r.instant()
	}
}

// load implements state.
func (s *running) load(key string, value []byte, err error) loss {
	l, is := s.lots.load(key, value, err)
	if l != nil && l.n > 0 {
		s.watch(l)
	}
	if l != nil && l.fresh {
		s.fresh = append(s.fresh, l)
	}
	return is
}

// silences are groups by when they are to be forgotten: a heap. A group that has a row is left where it is, and put right when its turn comes.
type silences []silence

type silence struct {
	lot *lot
	due edged.Instant
}

func (h silences) Len() int      { return len(h) }
func (h silences) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h silences) Less(i, j int) bool {
	if c := h[i].due.Compare(h[j].due); c != 0 {
		return c < 0
	}
	return h[i].lot.compare(h[j].lot) < 0
}

func (h *silences) Push(x any) { *h = append(*h, x.(silence)) }

func (h *silences) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = silence{}
	*h = (*h)[:last]
	return x
}

package batches

import (
	"maps"
	"slices"

	"edged"
)

// panes is the state of windows on a grid: tumbling and sliding ones.
type panes struct {
	p     *Plan
	byKey map[paneKey]*pane
	order []*pane          // the same, in the order of time
	now   *pane            // of the last row that was added, until the watermark moves
	found foundGroups      // the groups of the block's topics
	next  map[uint32]int64 // by epoch: the start of the next window to leave
	epoch uint32           // of the watermark
	gone  []saved          // groups of dropped panes that the last checkpoint still holds
	left  []saved          // marks of windows that have left, likewise

	past   map[uint32]map[string]*past // by epoch, by group: what was before the panes
	bygone []string                    // keys of it that the last checkpoint still holds

	slides map[uint32]*slides // by epoch; sliding windows only

	early early
	fresh []*pane                      // have groups that have changed since they were last given
	given map[paneKey]map[string]*mark // by window, by group: what was given of it before its end

	torn edged.Instant // windows that begin before may be incomplete
}

type paneKey struct {
	epoch uint32
	start int64
}

func (k paneKey) compare(o paneKey) int {
	return edged.Instant{Epoch: k.epoch, Wall: k.start}.Compare(edged.Instant{Epoch: o.epoch, Wall: o.start})
}

type pane struct {
	paneKey
	groups    map[string]*group
	only      *group // without group_by: the one that rows are added to; nil before the first one
	untrusted bool   // a block in it was cut while the wall clock was not synchronised
	dirty     bool   // its own flags changed since the last checkpoint

	incomplete bool // a part of it was lost

	fresh []*group // have changed since they were last given
}

func (p *pane) flags() (f byte) {
	if p.untrusted {
		f |= 1
	}
	if p.incomplete {
		f |= 2
	}
	return f
}

// saved names a group in the checkpoint.
type saved struct {
	pane paneKey
	key  string
}

func newPanes(p *Plan) *panes {
	return &panes{
		p: p, byKey: map[paneKey]*pane{}, next: map[uint32]int64{}, slides: map[uint32]*slides{}, early: early{every: p.early}, given: map[paneKey]map[string]*mark{},
		past: map[uint32]map[string]*past{},
	}
}

// late reports whether every window of a row at this time has closed.
func (s *panes) late(k paneKey, w edged.Instant) bool {
	return !w.Before(edged.Instant{Epoch: k.epoch, Wall: s.p.window.Last(k.start) + s.p.window.Size})
}

// paneOf returns the pane of a row, which may be a new one; nil if the row is late. Most rows are of the pane of the row before.
func (s *panes) paneOf(in *arrived) *pane {
	epoch := s.p.epochOf(in)
	if p := s.now; p != nil && p.epoch == epoch && s.p.window.InPane(p.start, in.at) {
		return p
	}
	k := paneKey{epoch, s.p.window.Pane(in.at)}
	if s.p.time.field != nil && s.late(k, in.watermark) {
		return nil
	}
	s.now = s.at(k)
	return s.now
}

// add implements state: a row goes into its group in its pane. It is dropped if that would be one group too many.
func (s *panes) add(in *arrived) fate {
	p := s.paneOf(in)
	if p == nil {
		return isLate
	}
	g := p.only
	if g == nil {
		g = s.found.group(p, in)
	}
	if g == nil {
		if len(p.groups) >= s.p.groups {
			return isDropped
		}
		g = &group{key: string(in.key), values: in.values(), accs: s.p.newAccs()}
		p.groups[g.key] = g
		s.slid(p, g)
	} else if g.slide != nil {
		g.slide.touched(p.start)
	}
	if !in.trusted && !p.untrusted {
		p.untrusted, p.dirty = true, true
	}
	g.take(in)
	if len(s.p.keys) == 0 {
		p.only = g
	}
	s.changed(p, g)
	return isApplied
}

// awaits implements state: it is when the next window with something in it closes.
func (s *panes) awaits() (edged.Instant, bool) {
	epoch, start, ok := s.start()
	return s.early.awaits(len(s.fresh) > 0, edged.Instant{Epoch: epoch, Wall: start + s.p.window.Size}, ok)
}

// advance implements state: every window that has ended by w leaves, in order of time, and what no open window needs is forgotten. Then, if it is
// time for it, what else has changed shows itself.
func (s *panes) advance(w edged.Instant, out *output) {
	s.now = nil
	s.found.forget()
	for {
		epoch, start, ok := s.start()
		if !ok || w.Before(edged.Instant{Epoch: epoch, Wall: start + s.p.window.Size}) {
			break
		}
		s.leave(epoch, start, out, false)
	}
	if s.p.time.field != nil && w.Wall > never+s.p.window.Size { // nor does one that has ended without a row begin again for a late one
		next := s.p.window.After(w.Wall - s.p.window.Size)
		if before, has := s.next[w.Epoch]; !has || before < next {
			s.next[w.Epoch] = next
		}
	}
	if w.Epoch > s.epoch { // an epoch that is over does not come back
		s.epoch = w.Epoch
		s.endEpochs(w.Epoch)
	}
	if s.early.due(w) {
		s.show(out)
	}
}

// closeAll implements state.
func (s *panes) closeAll(out *output) {
	for epoch, start, ok := s.start(); ok; epoch, start, ok = s.start() {
		s.leave(epoch, start, out, true)
	}
}

func (s *panes) empty() bool { return len(s.byKey) == 0 && len(s.past) == 0 }

func (s *panes) leave(epoch uint32, start int64, out *output, partial bool) {
	win := edged.Window{Epoch: epoch, Start: start, End: start + s.p.window.Size}
	is := s.signs(win)
	is.partial = is.partial || partial
	before, given := s.before(win), s.given[paneKey{epoch, start}]
	give := func(g *group) {
		is.revision = given[g.key].final()
		out.result(win, g, before(g.key), is)
	}
	if p := s.byKey[paneKey{epoch, start}]; s.p.window.PaneSize() == s.p.window.Size {
		for _, g := range slices.SortedFunc(maps.Values(p.groups), (*group).compare) {
			give(g)
		}
	} else {
		for _, l := range s.sorted(win) {
			if l.of(s.p, win) {
				give(&l.group)
			}
		}
	}
	s.forget(paneKey{epoch, start})
	s.next[epoch] = start + s.p.window.Every
	s.drop(epoch)
}

// signs are those of a window's panes.
func (s *panes) signs(win edged.Window) signs {
	is := signs{partial: s.isTorn(win)}
	for _, p := range s.in(win) {
		is.untrusted, is.partial = is.untrusted || p.untrusted, is.partial || p.incomplete
	}
	return is
}

// count is the number of groups in all panes.
func (s *panes) count() int {
	n := 0
	for _, p := range s.byKey {
		n += len(p.groups)
	}
	return n
}

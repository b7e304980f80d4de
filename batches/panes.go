package batches

import (
	"maps"
	"math"
	"slices"

	"edged"
)

// panes is the state of windows on a grid: tumbling and sliding ones.
type panes struct {
	p     *Plan
	byKey map[paneKey]*pane
	order []*pane          // the same, in the order of time
	next  map[uint32]int64 // by epoch: the start of the next window to leave
	gone  []saved          // groups of dropped panes that the last checkpoint still holds
	left  []saved          // marks of windows that have left, likewise

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
	untrusted bool // a block in it was cut while the wall clock was not synchronised
	dirty     bool // its own flags changed since the last checkpoint

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
	}
}

// keepsOne says that the pane before the next window is kept too: a rate begins with its last reading.
func (s *panes) keepsOne() bool {
	return slices.ContainsFunc(s.p.aggs, func(a aggregated) bool { return a.kind.Previous })
}

// late reports whether every window of a row at this time has closed.
func (s *panes) late(k paneKey, w edged.Instant) bool {
	return !w.Before(edged.Instant{Epoch: k.epoch, Wall: s.p.window.Last(k.start) + s.p.window.Size})
}

// add implements state: a row goes into its group in its pane. It is dropped if that would be one group too many.
func (s *panes) add(in *arrived) fate {
	k := paneKey{start: s.p.window.Pane(in.at)}
	if s.p.time.field == nil {
		k.epoch = in.epoch
	} else if s.late(k, in.watermark) {
		return isLate
	}
	p := s.at(k)
	g := p.groups[string(in.key)]
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
	g.dirty = true
	s.changed(p, g)
	for i, v := range in.args {
		g.accs[i].Add(v, in.at)
	}
	return isApplied
}

// start is where the next window with something in it begins, and its epoch; false if there is none. Those before the first pane that is in a window
// to come are kept for a rate only, one an epoch.
func (s *panes) start() (epoch uint32, start int64, ok bool) {
	for _, p := range s.order {
		if first := s.firstOpen(p.paneKey); first <= s.p.window.Last(p.start) {
			return p.epoch, first, true
		}
	}
	return 0, 0, false
}

// firstOpen is the first window of a pane that has not left. It is after the pane's last one if all have.
func (s *panes) firstOpen(k paneKey) int64 {
	first := s.p.window.First(k.start)
	if n, has := s.next[k.epoch]; has {
		first = max(first, n)
	}
	return first
}

// awaits implements state: it is when the next window with something in it closes.
func (s *panes) awaits() (edged.Instant, bool) {
	epoch, start, ok := s.start()
	return s.early.awaits(len(s.fresh) > 0, edged.Instant{Epoch: epoch, Wall: start + s.p.window.Size}, ok)
}

// advance implements state: every window that has ended by w leaves, in order of time, and what no open window needs is forgotten. Then, if it is
// time for it, what else has changed shows itself.
func (s *panes) advance(w edged.Instant, out *output) {
	for {
		epoch, start, ok := s.start()
		if !ok || w.Before(edged.Instant{Epoch: epoch, Wall: start + s.p.window.Size}) {
			break
		}
		s.leave(epoch, start, out, false)
	}
	for epoch := range s.next {
		if epoch < w.Epoch && !s.has(epoch) { // an epoch that is over does not come back
			delete(s.next, epoch)
		}
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

func (s *panes) empty() bool { return len(s.byKey) == 0 }

func (s *panes) has(epoch uint32) bool {
	i, _ := s.find(paneKey{epoch, math.MinInt64})
	return i < len(s.order) && s.order[i].epoch == epoch
}

// find is the place of a pane in the order, and whether it is there.
func (s *panes) find(k paneKey) (int, bool) {
	if n := len(s.order); n > 0 && s.order[n-1].paneKey.compare(k) < 0 {
		return n, false // the usual place of a new one
	}
	return slices.BinarySearchFunc(s.order, k, func(p *pane, k paneKey) int { return p.paneKey.compare(k) })
}

// at returns a pane, which may be a new one.
func (s *panes) at(k paneKey) *pane {
	p := s.byKey[k]
	if p == nil {
		p = &pane{paneKey: k, groups: map[string]*group{}}
		s.byKey[k] = p
		i, _ := s.find(k)
		s.order = slices.Insert(s.order, i, p)
	}
	return p
}

func (s *panes) leave(epoch uint32, start int64, out *output, partial bool) {
	win := edged.Window{Epoch: epoch, Start: start, End: start + s.p.window.Size}
	is := s.signs(win)
	is.partial = is.partial || partial
	before, given := s.before(win), s.given[paneKey{epoch, start}]
	give := func(g *group) {
		is.revision = given[g.key].final()
		out.result(win, g, before[g.key], is)
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

// before are the groups of the pane before a window.
func (s *panes) before(win edged.Window) map[string]*group {
	if p := s.byKey[paneKey{win.Epoch, win.Start - s.p.window.PaneSize()}]; p != nil {
		return p.groups
	}
	return nil
}

// signs are those of a window's panes.
func (s *panes) signs(win edged.Window) signs {
	is := signs{partial: s.isTorn(win)}
	for _, p := range s.in(win) {
		is.untrusted, is.partial = is.untrusted || p.untrusted, is.partial || p.incomplete
	}
	return is
}

// in are the panes of a window, in order.
func (s *panes) in(win edged.Window) []*pane {
	from, _ := s.find(paneKey{win.Epoch, win.Start})
	to, _ := s.find(paneKey{win.Epoch, win.End})
	return s.order[from:to]
}

// drop forgets the panes of an epoch that no window to come needs.
func (s *panes) drop(epoch uint32) {
	next := s.next[epoch]
	keepsOne := s.keepsOne()
	i, _ := s.find(paneKey{epoch, math.MinInt64})
	n := i
	for ; n < len(s.order) && s.order[n].epoch == epoch; n++ {
		k := s.order[n].paneKey
		if s.p.window.Last(k.start) >= next || keepsOne && k.start+s.p.window.PaneSize() >= next {
			break // and so it is with those after it
		}
		for _, g := range s.order[n].groups {
			if g.saved {
				s.gone = append(s.gone, saved{k, g.key})
			}
		}
		s.gone = append(s.gone, saved{k, ""})
		delete(s.byKey, k)
	}
	if len(s.fresh) > 0 {
		s.fresh = slices.DeleteFunc(s.fresh, func(p *pane) bool { return s.byKey[p.paneKey] != p })
	}
	s.order = slices.Delete(s.order, i, n)
	if !s.has(epoch) {
		delete(s.slides, epoch)
	}
}

// count is the number of groups in all panes.
func (s *panes) count() int {
	n := 0
	for _, p := range s.byKey {
		n += len(p.groups)
	}
	return n
}

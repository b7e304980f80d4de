package batches

import (
	"slices"

	"edged"
)

// panes is the state of a stream's open windows.
type panes struct {
	p     *Plan
	byKey map[paneKey]*pane
	next  map[uint32]int64 // by epoch: the start of the next window to leave
	gone  []saved          // groups of dropped panes that the last checkpoint still holds

	unreadable []string      // keys of the checkpoint that cannot be read: the next one deletes them
	torn       edged.Instant // windows that begin before may be incomplete
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

type group struct {
	key    string
	values []edged.Value
	accs   []edged.Accumulator
	dirty  bool // changed since the last checkpoint
	saved  bool // the last checkpoint has it
}

// saved names a group in the checkpoint.
type saved struct {
	pane paneKey
	key  string
}

func newPanes(p *Plan) *panes {
	return &panes{p: p, byKey: map[paneKey]*pane{}, next: map[uint32]int64{}}
}

// keepsOne says that the pane before the next window is kept too: a rate begins with its last reading.
func (s *panes) keepsOne() bool {
	return slices.ContainsFunc(s.p.aggs, func(a aggregated) bool { return a.kind.Previous })
}

// late reports whether every window of a row at this time has closed.
func (s *panes) late(k paneKey, w edged.Instant) bool {
	return !w.Before(edged.Instant{Epoch: k.epoch, Wall: s.p.window.Last(k.start) + s.p.window.Size})
}

// add puts a row into its group: args are what the aggregates take of it. It returns false if that would be one group too many. key may be
// reused by the caller.
func (s *panes) add(k paneKey, key []byte, values func() []edged.Value, trusted bool, args []edged.Value, at int64) bool {
	p := s.byKey[k]
	if p == nil {
		p = &pane{paneKey: k, groups: map[string]*group{}}
		s.byKey[k] = p
	}
	g := p.groups[string(key)]
	if g == nil {
		if len(p.groups) >= s.p.groups {
			return false
		}
		g = &group{key: string(key), values: values(), accs: s.newAccs()}
		p.groups[g.key] = g
	}
	if !trusted && !p.untrusted {
		p.untrusted, p.dirty = true, true
	}
	g.dirty = true
	for i, v := range args {
		g.accs[i].Add(v, at)
	}
	return true
}

func (s *panes) newAccs() []edged.Accumulator {
	accs := make([]edged.Accumulator, len(s.p.aggs))
	for i := range s.p.aggs {
		accs[i] = s.p.aggs[i].kind.New()
	}
	return accs
}

// start is where the next window with something in it begins, and its epoch; false if there is none.
func (s *panes) start() (epoch uint32, start int64, ok bool) {
	var best paneKey
	for k := range s.byKey {
		first := s.p.window.First(k.start)
		if n, has := s.next[k.epoch]; has {
			first = max(first, n)
		}
		if first > s.p.window.Last(k.start) {
			continue // kept for the rate of the next window only
		}
		if c := (paneKey{k.epoch, first}); !ok || c.compare(best) < 0 {
			best, ok = c, true
		}
	}
	return best.epoch, best.start, ok
}

// end is when the next window with something in it closes; false if no window is open.
func (s *panes) end() (edged.Instant, bool) {
	epoch, start, ok := s.start()
	return edged.Instant{Epoch: epoch, Wall: start + s.p.window.Size}, ok
}

// close calls leave for every window that has ended by w, in order of time, and drops what no open window needs.
func (s *panes) close(w edged.Instant, leave func(win edged.Window, open *pane, groups []*group, prev *pane)) {
	for {
		epoch, start, ok := s.start()
		if !ok || w.Before(edged.Instant{Epoch: epoch, Wall: start + s.p.window.Size}) {
			break
		}
		s.leave(epoch, start, leave)
	}
	for epoch := range s.next {
		if epoch < w.Epoch && !s.has(epoch) { // an epoch that is over does not come back
			delete(s.next, epoch)
		}
	}
}

// closeAll calls leave for every open window, ended or not.
func (s *panes) closeAll(leave func(win edged.Window, open *pane, groups []*group, prev *pane)) {
	for epoch, start, ok := s.start(); ok; epoch, start, ok = s.start() {
		s.leave(epoch, start, leave)
	}
}

func (s *panes) has(epoch uint32) bool {
	for k := range s.byKey {
		if k.epoch == epoch {
			return true
		}
	}
	return false
}

func (s *panes) leave(epoch uint32, start int64, leave func(edged.Window, *pane, []*group, *pane)) {
	win := edged.Window{Epoch: epoch, Start: start, End: start + s.p.window.Size}
	merged := s.merge(win)
	groups := make([]*group, 0, len(merged.groups))
	for _, g := range merged.groups {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int { return slices.CompareFunc(a.values, b.values, edged.Value.Compare) })
	merged.incomplete = merged.incomplete || edged.Instant{Epoch: win.Epoch, Wall: win.Start}.Before(s.torn)
	leave(win, merged, groups, s.byKey[paneKey{epoch, start - s.p.window.PaneSize()}])
	s.next[epoch] = start + s.p.window.Every
	s.drop(epoch)
}

// merge joins a window's panes, in order. A window of one pane is that pane.
func (s *panes) merge(win edged.Window) *pane {
	if s.p.window.PaneSize() == s.p.window.Size {
		return s.byKey[paneKey{win.Epoch, win.Start}]
	}
	m := &pane{groups: map[string]*group{}}
	for at := win.Start; at < win.End; at += s.p.window.PaneSize() {
		p := s.byKey[paneKey{win.Epoch, at}]
		if p == nil {
			continue
		}
		m.untrusted, m.incomplete = m.untrusted || p.untrusted, m.incomplete || p.incomplete
		for key, g := range p.groups {
			into := m.groups[key]
			if into == nil {
				into = &group{key: key, values: g.values, accs: s.newAccs()}
				m.groups[key] = into
			}
			for i := range into.accs {
				into.accs[i].Merge(g.accs[i])
			}
		}
	}
	return m
}

// drop forgets the panes of an epoch that no window to come needs.
func (s *panes) drop(epoch uint32) {
	next := s.next[epoch]
	keepsOne := s.keepsOne()
	for k, p := range s.byKey {
		if k.epoch != epoch || s.p.window.Last(k.start) >= next || keepsOne && k.start+s.p.window.PaneSize() >= next {
			continue
		}
		for _, g := range p.groups {
			if g.saved {
				s.gone = append(s.gone, saved{k, g.key})
			}
		}
		s.gone = append(s.gone, saved{k, ""})
		delete(s.byKey, k)
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

package batches

import (
	"encoding/binary"
	"maps"
	"slices"

	"edged"
)

// What an open window of a grid gives before its end: of each group that has changed since the last time, what the window has of it so far.

// mark is how often a group of a window was given before the window's end.
type mark struct {
	n            uint64
	dirty, saved bool // as those of a group
}

// final is the revision of the window's last result; 0 if there was none before it.
func (m *mark) final() uint64 {
	if m == nil {
		return 0
	}
	return m.n + 1
}

// changed takes note of a group to be given.
func (s *panes) changed(p *pane, g *group) {
	if s.early.every == 0 || g.fresh {
		return
	}
	if len(p.fresh) == 0 {
		s.fresh = append(s.fresh, p)
	}
	g.fresh = true
	p.fresh = append(p.fresh, g)
}

// show gives the groups that have changed, of each open window, in the order of the windows and then of the groups.
func (s *panes) show(out *output) {
	changed := map[paneKey]map[string]bool{} // by window
	for _, p := range s.fresh {
		for start := s.firstOpen(p.paneKey); start <= s.p.window.Last(p.start); start += s.p.window.Every {
			k := paneKey{p.epoch, start}
			if changed[k] == nil {
				changed[k] = map[string]bool{}
			}
			for _, g := range p.fresh {
				changed[k][g.key] = true
			}
		}
		for _, g := range p.fresh {
			g.fresh, g.dirty = false, true
		}
		p.fresh = nil
	}
	s.fresh = nil
	for _, k := range slices.SortedFunc(maps.Keys(changed), paneKey.compare) {
		s.showWindow(k, changed[k], out)
	}
}

func (s *panes) showWindow(k paneKey, keys map[string]bool, out *output) {
	win := edged.Window{Epoch: k.epoch, Start: k.start, End: k.start + s.p.window.Size}
	before, is := s.before(win), s.signs(win)
	given := s.given[k]
	if given == nil {
		given = map[string]*mark{}
		s.given[k] = given
	}
	for _, g := range s.soFar(win, keys) {
		m := given[g.key]
		if m == nil {
			m = new(mark)
			given[g.key] = m
		}
		m.n++
		m.dirty = true
		is.revision, is.early = m.n, true
		out.result(win, g, before(g.key), is)
	}
}

// soFar joins what an open window has of the groups with the given keys.
func (s *panes) soFar(win edged.Window, keys map[string]bool) []*group {
	groups := map[string]*group{}
	for _, p := range s.in(win) {
		for key := range keys {
			g := p.groups[key]
			if g == nil {
				continue
			}
			into := groups[key]
			if into == nil {
				into = &group{key: key, values: g.values, accs: s.p.newAccs()}
				groups[key] = into
			}
			merge(into.accs, g.accs)
		}
	}
	return slices.SortedFunc(maps.Values(groups), (*group).compare)
}

// forget drops the marks of a window that has left.
func (s *panes) forget(k paneKey) {
	for key, m := range s.given[k] {
		if m.saved {
			s.left = append(s.left, saved{k, key})
		}
	}
	delete(s.given, k)
}

func (k saved) mark() string { return string(append(k.pane.append([]byte{'v'}), k.key...)) }

func (s *panes) putMarks(put func(key string, value []byte)) {
	for _, k := range s.left {
		put(k.mark(), nil)
	}
	s.left = nil
	for k, given := range s.given {
		for key, m := range given {
			if m.dirty {
				put(saved{k, key}.mark(), binary.AppendUvarint(nil, m.n))
				m.dirty, m.saved = false, true
			}
		}
	}
}

func (s *panes) loadMark(k paneKey, key string, value []byte, err error) loss {
	r := headerReader{b: value}
	m := &mark{n: r.uvarint(), saved: true}
	if err != nil || r.err != nil {
		return unknown
	}
	if s.given[k] == nil {
		s.given[k] = map[string]*mark{}
	}
	s.given[k][key] = m
	return nothing
}

// freshness begins a group's value in a checkpoint.
func (s *panes) freshness(g *group) []byte {
	switch {
	case s.early.every == 0:
		return nil
	case g.fresh:
		return []byte{1}
	}
	return []byte{0}
}

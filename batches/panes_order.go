package batches

import (
	"math"
	"slices"

	"edged"
)

// The panes stand in the order of time, so that what an entry closes is at the front, and the panes of a window are one after the other.

// start is where the next window with something in it begins, and its epoch; false if there is none.
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

// in are the panes of a window, in order.
func (s *panes) in(win edged.Window) []*pane {
	from, _ := s.find(paneKey{win.Epoch, win.Start})
	to, _ := s.find(paneKey{win.Epoch, win.End})
	return s.order[from:to]
}

// drop forgets the panes of an epoch that are in no window to come, and keeps of them what those windows begin with.
func (s *panes) drop(epoch uint32) {
	next := s.next[epoch]
	looksBack := s.p.looksBack()
	i, _ := s.find(paneKey{epoch, math.MinInt64})
	n := i
	for ; n < len(s.order) && s.order[n].epoch == epoch; n++ {
		p := s.order[n]
		if s.p.window.Last(p.start) >= next {
			break // and so it is with those after it
		}
		if looksBack {
			s.keep(p)
		}
	}
	s.cut(i, n)
	if !s.has(epoch) {
		delete(s.slides, epoch)
	}
}

// endEpochs forgets everything of the epochs before one. All their windows have left.
func (s *panes) endEpochs(now uint32) {
	n, _ := s.find(paneKey{now, math.MinInt64})
	s.cut(0, n)
	for epoch := range s.next {
		if epoch < now {
			delete(s.next, epoch)
			delete(s.slides, epoch)
		}
	}
	for epoch := range s.past {
		if epoch < now {
			s.forgetPasts(epoch)
		}
	}
}

// cut takes panes out.
func (s *panes) cut(from, to int) {
	s.now = nil
	for _, p := range s.order[from:to] {
		for _, g := range p.groups {
			if g.saved {
				s.gone = append(s.gone, saved{p.paneKey, g.key})
			}
		}
		s.gone = append(s.gone, saved{p.paneKey, ""})
		delete(s.byKey, p.paneKey)
	}
	s.order = slices.Delete(s.order, from, to)
	if len(s.fresh) > 0 {
		s.fresh = slices.DeleteFunc(s.fresh, func(p *pane) bool { return s.byKey[p.paneKey] != p })
	}
}

package batches

import (
	"slices"

	"edged"
)

// What a chained stream says to the committer: how far its rows have come, and what it must know to come further.

// link begins the chain of the plan in use, if others take from the stream. What was said to be over before stays so: by a tick, by a former definition, and
// by what the stream has passed.
func (s *Stream) link() {
	s.out.unread = s.o.Unread && !slices.ContainsFunc(s.o.Store.Cursors(), func(c edged.Cursor) bool {
		of, _, ok := edged.SplitDelivery(c.Name)
		return ok && of == s.name // a sink that is gone for a while finds its rows
	})
	if !s.o.Chained {
		return
	}
	floor := s.cut
	if before := s.out.chain; before != nil {
		floor = later(floor, before.floor)
	}
	if t := s.o.Store.LastTick(); t != nil {
		for _, r := range t.Receivers {
			if r.Stream && r.Receiver == s.name {
				floor = later(floor, r.Cut)
			}
		}
		if at, ok := s.p.passed(t); ok && t.Seq < s.rec.applied && !s.p.Dated() {
			floor = later(floor, s.p.given(at))
		}
	}
	blocks := s.out.chain.take()
	s.out.chain = &chain{p: s.p, floor: floor, blocks: blocks}
	s.out.rows = edged.Rows{Stream: s.p.Name, Names: s.p.names}
	s.out.chain.begin(&s.out.rows)
}

// passed is the arrival time that a tick says is over; false if it does not know every receiver.
func (p *Plan) passed(t *edged.Tick) (at edged.Instant, ok bool) {
	for i, name := range p.from {
		cut, known := t.Cut(name)
		if !known {
			return at, false
		}
		if i == 0 || cut.Before(at) {
			at = cut
		}
	}
	return at, true
}

// cursor is the stream's cursor.
func (s *Stream) cursor() edged.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.without(s.rec.cursor(s.name))
}

// without leaves out of what the stream needs the blocks that it gave itself. They are behind what it has yet to take: with them, a backlog would be held
// until all of it has been made into rows, and a full store would not get rid of it. A cursor is written with every commit, so that it names the latest
// ownSpans of them; those before are held until they are passed. The lock is held.
func (s *Stream) without(c edged.Cursor) edged.Cursor {
	from, _ := c.Need.Next(0)
	s.own = s.own.Remove(0, from)
	if n := len(s.own); n > ownSpans {
		s.own = s.own[n-ownSpans:]
	}
	for _, sp := range s.own {
		c.Need = c.Need.Remove(sp.From, sp.To)
	}
	return c
}

const ownSpans = 64

// remember takes the blocks that it gave itself over from its cursor.
func (s *Stream) remember(c edged.Cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = nil
	if n := len(c.Need); n > 1 {
		s.own = c.Need.Gaps(c.Need[0].From, c.Need[n-1].From)
	}
}

// over is the moment before which the stream gives no further row: its watermark, since each window that is open ends behind it.
func (s *Stream) over() edged.Instant {
	c := s.out.chain
	at := s.wm.arrival()
	if s.p.Dated() {
		event, ok := s.wm.silent()
		if !ok {
			return c.floor
		}
		at = edged.Instant{Epoch: c.floor.Epoch, Wall: event}
	}
	return later(c.floor, s.p.given(at))
}

// given is how far what the stream gives has come when its watermark is w: windows behind a join are closed by what comes out of that.
func (p *Plan) given(w edged.Instant) edged.Instant {
	if p.follows() {
		return p.afterJoin(w)
	}
	return w
}

// Gives implements edged.Giver.
func (s *Stream) Gives() (receiver string, at edged.Instant, ok bool) {
	if !s.o.Chained {
		return "", at, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name, s.cut, true
}

// Reach implements edged.Giver.
func (s *Stream) Reach(at edged.Instant) (edged.Wait, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready {
		return edged.Wait{}, false
	}
	w := &s.clock
	if w.p.follows() {
		at.Wall += w.p.joinDelay()
	}
	if w.p.Dated() {
		var ok bool
		if at, ok = w.reachSilent(edged.Instant{Wall: at.Wall}); !ok {
			return edged.Wait{}, false
		}
	}
	wait := edged.Wait{Receivers: w.p.from, Until: at}
	if !s.isAsked || at.Before(s.asked.Until) { // of several that wait, the first one to be met
		s.asked, s.isAsked = wait, true
	}
	return wait, true
}

// isWanted reports whether somebody waits for the stream to come to where the newest tick brings it.
func (s *Stream) isWanted() bool {
	s.mu.Lock()
	asked, is := s.asked, s.isAsked
	s.mu.Unlock()
	return is && asked.Satisfied(s.o.Store.LastTick())
}

var _ edged.Giver = (*Stream)(nil)

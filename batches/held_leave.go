package batches

import (
	"math"

	"edged"
)

// forever is behind every watermark.
var forever = edged.Instant{Epoch: math.MaxUint32, Wall: math.MaxInt64}

// downstream is the watermark of what comes behind a join: that of the stream, but with outer a row without a partner leaves as much later as a partner may be
// away.
func (s *Stream) downstream() edged.Instant { return s.p.afterJoin(s.wm.now()) }

// afterJoin is how far the rows behind a join have come when the watermark is w.
func (p *Plan) afterJoin(w edged.Instant) edged.Instant {
	if d := p.joinDelay(); d > 0 && !w.IsZero() && w.Wall > never+d {
		w.Wall -= d
	}
	return w
}

// joinsStreams reports whether the stream has a join that holds rows of two.
func (p *Plan) joinsStreams() bool { return p.join != nil && !p.join.table() }

// joinDelay is by how much that is behind the watermark, in ns.
func (p *Plan) joinDelay() int64 {
	if !p.joinsStreams() || !p.join.outer {
		return 0
	}
	return p.join.within
}

// leave has rows leave that are complete by a watermark, in the order of time: pairs at the time of their later row, rows that have none when none can come
// any more. before is the watermark behind the join as windows know it.
func (s *Stream) leave(w, before edged.Instant) {
	if s.held == nil {
		return
	}
	s.in = arrived{reader: s.r, args: s.r.args, watermark: before}
	defer func() { s.r.held = nil }()
	h := s.held
	for len(h.order) > 0 {
		complete, over := h.done < len(h.order) && h.order[h.done].when().Before(w), h.done > 0 && h.due(h.order[0]).Before(w)
		if complete && over {
			complete = !h.due(h.order[0]).Before(h.order[h.done].when())
		}
		switch {
		case complete:
			x := h.order[h.done]
			h.done++
			for _, y := range h.before(x) {
				s.pair(x, y)
			}
		case over:
			if x := h.order[0]; x.side == ours && !x.met && s.p.join.outer {
				s.behindJoin(x, nil, x.at, s.held.due(x))
			}
			h.forget()
		default:
			return
		}
	}
}

// pair has two rows leave together.
func (s *Stream) pair(x, y *heldRow) {
	our, other := x, y
	if x.side == theirs {
		our, other = y, x
	}
	if s.p.join.outer && !our.met {
		our.met, our.dirty = true, true
	}
	s.behindJoin(our, other, x.at, x.when())
}

// behindJoin takes a row, with its partner if it has one, through the rest of the stream. left is when the watermark says that it leaves.
func (s *Stream) behindJoin(our, other *heldRow, at int64, left edged.Instant) {
	r, in := s.r, &s.in
	in.left, r.row.Cols = left, r.cols
	for i, slot := range s.p.keeps() {
		r.row.Cols[slot] = our.cells[i]
	}
	in.epoch, in.trusted = our.arrived, our.trusted
	if other == nil {
		s.p.join.partner(&r.row, nil)
	} else {
		s.p.join.partner(&r.row, other.cells)
		in.trusted = in.trusted && other.trusted
	}
	r.row.Topic, r.row.Time, r.row.QoS, r.row.Retain = our.topic, at, our.qos, our.retain
	r.topic = r.aside(our.topic)
	r.held, r.heldTrusted = our, in.trusted
	switch r.through() {
	case filtered:
		return
	case good:
		switch {
		case !s.arrive():
			s.sayLost()
		case s.st.add(in) == isApplied:
			return
		default:
			s.sayFull()
		}
	case excess:
		s.sayFull()
	default:
		s.sayLost()
	}
	if !s.out.mute {
		s.lost++
	}
}

// sayLost says once why rows behind a join are lost that there would be room for.
func (s *Stream) sayLost() {
	if s.saidLost || s.out.mute {
		return
	}
	s.saidLost = true
	s.o.Log.Warn("a row behind a join cannot be taken: such rows are dropped and counted", "stream", s.name, "reason", s.r.reason)
}

// closeAll has everything leave, ended or not.
func (s *Stream) closeAll() {
	s.leave(forever, s.downstream())
	s.st.closeAll(&s.out)
}

// joinAwaits is the watermark for which the windows behind a join wait, if they do, or the join itself, whichever is earlier.
func (s *Stream) joinAwaits(end edged.Instant, waits bool) (edged.Instant, bool) {
	if waits && s.p.join.outer {
		end.Wall += s.p.join.within
	}
	if at, ok := s.held.awaits(); ok && (!waits || at.Before(end)) {
		return at, true
	}
	return end, waits
}

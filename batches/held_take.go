package batches

import (
	"fmt"
	"slices"
	"strings"

	"edged"
)

// isTheirs reports whether a message of a block is of the other side.
func (s *held) isTheirs(b *edged.Block, i int) bool {
	if b.Receiver != s.j.other {
		return false
	}
	if len(s.sides) == 0 { // of a new block
		s.sides = slices.Grow(s.sides, len(b.Topics))[:len(b.Topics)]
		clear(s.sides)
	}
	side := &s.sides[b.Topic[i]]
	if *side == 0 {
		if *side = 1; s.j.matches(b.TopicOf(i)) {
			*side = 2
		}
	}
	return *side == 2
}

// hold takes the rows of message i of a block into a join of two streams.
func (s *Stream) hold(b *edged.Block, i int) (f fate, routed bool) {
	if s.held.isTheirs(b, i) {
		return s.holdTheirs(b, i), true
	}
	if !slices.Contains(s.p.own, b.Receiver) {
		return 0, false
	}
	switch s.r.begin(b, i) {
	case notRouted:
		return 0, false
	case good:
		return s.holdOurs(b), true
	}
	return isDead, true
}

// holdOurs takes the rows of the message that was begun. All are looked through before the first one counts.
func (s *Stream) holdOurs(b *edged.Block) (best fate) {
	r := s.r
	for r.more() {
		r.load()
		if key := r.joinKey(); len(key) > maxText {
			r.reason = fmt.Sprintf("what it is joined by is %d bytes long; %d is the most", len(key), maxText)
			return isDead
		}
	}
	best = isFiltered
	for r.again(); r.more(); {
		r.load()
		key := r.joinKey()
		if key == nil && !s.p.join.outer {
			continue
		}
		h := &heldRow{side: ours, at: r.row.Time, key: string(key), topic: strings.Clone(r.row.Topic), qos: r.row.QoS, retain: r.row.Retain}
		best = max(best, s.holdRow(b, h, func() {
			for _, slot := range s.p.keeps() {
				h.cells = append(h.cells, own(r.row.Cols[slot]))
			}
			if !s.p.Windowed() && len(s.p.selects) == 0 {
				h.shown = own(r.show())
			}
		}))
	}
	return best
}

// holdTheirs takes the rows of a message of the other side.
func (s *Stream) holdTheirs(b *edged.Block, i int) (best fate) {
	o, j := s.held.side, s.p.join
	payload, at := b.Payload(i), b.Arrival[i]
	o.topic = b.TopicOf(i)
	check := func(row int) (reason string) {
		if key := o.keyOf(); len(key) > maxText {
			return fmt.Sprintf("what it is joined by is %d bytes long; %d is the most", len(key), maxText)
		}
		if at = b.Arrival[i]; j.time >= 0 {
			at, reason = s.p.time.read(o.cols[j.time], strings.Join(j.paths[j.time], "."), b, i)
		}
		if reason != "" && j.kind.Many {
			reason = fmt.Sprintf("row %d: %s", row+1, reason)
		}
		return reason
	}
	best = isFiltered
	take := func(row int) (reason string) {
		if reason = check(row); reason != "" {
			return reason
		}
		key := o.keyOf()
		if key == nil {
			return ""
		}
		h := &heldRow{side: theirs, at: at, key: string(key)}
		best = max(best, s.holdRow(b, h, func() { h.cells = o.fields() }))
		return ""
	}
	if j.kind.Many { // all are looked through before the first one counts
		s.r.reason = o.read(payload, b.Arrival[i], check)
		if s.r.reason != "" {
			return isDead
		}
	}
	if s.r.reason = o.read(payload, b.Arrival[i], take); s.r.reason != "" {
		return isDead
	}
	return best
}

// holdRow holds a row, if it is not late and there is room; fill gives it its values.
func (s *Stream) holdRow(b *edged.Block, h *heldRow, fill func()) fate {
	h.arrived, h.trusted = b.Cut.Epoch, b.Trusted
	if s.p.time.field == nil {
		h.epoch = b.Cut.Epoch
	}
	if h.when().Before(s.wm.now()) {
		return isLate
	}
	s.wm.row(h.at)
	fill()
	h.size = h.memory()
	if !s.held.room(h.side, h.key, h.size) {
		s.sayHeld()
		return isDropped
	}
	s.held.n++
	h.n = s.held.n
	s.held.add(h)
	return isApplied
}

// memory is about what a row takes.
func (h *heldRow) memory() int64 {
	n := 240 + len(h.key) + len(h.topic) + len(h.shown.Str())
	for _, v := range h.cells {
		n += 40 + len(v.Str())
	}
	return int64(n)
}

// keeps are the columns of a row of this side that a join holds: those that were decoded, and those of a list's element. The others are computed behind it.
func (p *Plan) keeps() []int { return p.join.keep }

func (j *join) keepsOf(p *Plan) {
	for slot, path := range p.paths {
		if path != nil {
			j.keep = append(j.keep, slot)
		}
	}
	if p.flat != nil {
		j.keep = append(j.keep, p.flat.slot)
		for _, sub := range p.flat.subs {
			j.keep = append(j.keep, sub.Slot)
		}
	}
}

// id is the row's key in a checkpoint: j + time + side + number.
func (h *heldRow) id() string { return string(h.appendID([]byte{'j'})) }

// sayHeld says once that rows are dropped because there are too many to be held; the count says the rest.
func (s *Stream) sayHeld() {
	if s.saidHeld || s.out.mute {
		return
	}
	s.saidHeld = true
	s.o.Log.Warn("the join holds as many rows as it may: further ones are dropped and counted until the watermark has passed some; make within shorter, or join by more",
		"stream", s.name, "rows", len(s.held.order), "bytes", s.held.bytes, "keys", len(s.held.byKey), "max_groups", s.p.groups, "rows_of_a_key", maxHeldOfKey)
}

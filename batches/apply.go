package batches

import (
	"fmt"

	"edged"
)

// apply takes one entry of the log: its rows in order, then the watermark.
func (s *Stream) apply(e *edged.Entry) {
	rows, before := false, s.downstream()
	switch {
	case e.Err != nil:
		if !s.out.mute {
			s.o.Log.Error("a log entry cannot be read; its messages are counted as damaged, the stream goes on", "stream", s.name, "error", e.Err)
		}
		if s.r.table != nil { // it may have been in there
			s.r.table.stale = true
		}
	case e.Block != nil && s.p.takes(e.Block.Receiver):
		rows = s.block(e.Block)
	}
	s.wm.entryEnd(e, rows)
	s.leave(s.wm.now(), before)
	if s.st != nil {
		s.st.advance(s.downstream(), &s.out)
	}
	s.produced()
	s.out.entryEnd(e.Seq, s.downstream())
	if _, waits := s.st.(stepper); s.out.chain != nil && !waits {
		s.out.chain.end(s.over())
		s.out.chain.came = edged.Instant{}
	}
	if e.Tick != nil && !s.out.mute {
		s.balance(e.Tick)
	}
}

// stepEnd ends a batch, whose results are caused by the last entry that was taken.
func (s *Stream) stepEnd() {
	if st, ok := s.st.(stepper); ok {
		st.stepEnd(s.downstream(), &s.out)
		s.produced()
		s.out.entryEnd(max(s.rec.applied, 1)-1, s.downstream())
		if s.out.chain != nil {
			s.out.chain.end(s.over())
		}
	}
	s.out.lateStepEnd()
}

// produced counts the rows that the state has given to the output.
func (s *Stream) produced() {
	s.rec.Produced += s.out.produced
	s.out.produced = 0
}

// balance holds what the stream has seen against what the committer has counted: what is missing was in entries that were
// lost or could not be read.
func (s *Stream) balance(t *edged.Tick) {
	if routed, ok := s.rec.routed(s.name, t); ok && routed > s.rec.passed() {
		s.rec.Damaged += routed - s.rec.passed()
		if s.r.table != nil {
			s.r.table.stale = true // it may have been among them
		}
	}
}

// block applies a block's messages, and reports whether the stream got a row of it.
func (s *Stream) block(b *edged.Block) (rows bool) {
	defer s.r.letGo()
	if s.held != nil {
		s.held.sides = s.held.sides[:0]
	}
	c := s.rec.Counts
	if n := b.Len(); s.out.chain != nil && n > 0 {
		s.out.chain.came = edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[n-1]}
	}
	s.in = arrived{reader: s.r, epoch: b.Cut.Epoch, trusted: b.Trusted, args: s.r.args, watermark: s.downstream()} // the same for all rows: the watermark moves at the entry's end
	s.r.sound = s.r.blind && s.o.Sound.until(s.p.format, b.Seq) > b.Seq
	s.whole = s.held == nil && s.r.table == nil
	for i := range b.Len() {
		f, routed := s.fateOf(&c, b, i)
		if !routed {
			s.whole = false
			continue
		}
		if f == isDead {
			s.out.deadLetter(b, i, s.r.reason)
		}
		c.add(f)
		rows = rows || f > isFiltered && !s.isTable(b)
		if b.Seq < s.rec.born && !s.out.mute {
			s.rec.old++
		}
	}
	if !s.out.mute {
		s.rec.Counts = c
	}
	return rows
}

// fateOf applies message i of a block of a receiver that the stream takes.
func (s *Stream) fateOf(c *Counts, b *edged.Block, i int) (f fate, routed bool) {
	switch {
	case s.isTable(b):
		return s.takeTable(b, i), true
	case s.held != nil:
		return s.hold(b, i)
	}
	switch s.r.begin(b, i) {
	case notRouted:
		return 0, false
	case good:
		return s.message(c), true
	}
	return isDead, true
}

// isTable reports whether a block is of the receiver of the table.
func (s *Stream) isTable(b *edged.Block) bool {
	return s.r.table != nil && b.Receiver == s.p.join.other
}

// fate is what becomes of a row. A message of several rows has the fate of the luckiest.
type fate uint8

const (
	isDead fate = iota
	isFiltered
	isLate
	isDropped
	isApplied
)

func (c *Counts) add(f fate) {
	switch f {
	case isDead:
		c.Dead++
	case isFiltered:
		c.Filtered++
	case isLate:
		c.Late++
	case isDropped:
		c.Dropped++
	case isApplied:
		c.Applied++
	}
}

// message applies the rows of the message that was begun. If there can be several, or they change what is remembered, all are looked through before
// the first one counts.
func (s *Stream) message(c *Counts) (best fate) {
	if s.r.alone && s.r.mem == nil && s.r.table == nil {
		return s.row(c)
	}
	if s.st != nil && (s.r.many != nil || s.r.mem != nil) && !s.try() {
		return isDead
	}
	best = isFiltered
	for s.r.more() {
		f := isFiltered
		switch s.r.next() {
		case good:
			f = s.row(c)
		case excess:
			f = isDropped
			s.sayFull()
		case dead:
			f = isDead
		}
		if f == isDead {
			return isDead
		}
		best = max(best, f)
	}
	return best
}

// try looks through the rows of a message before the first one counts; false if one of them makes it a dead letter.
func (s *Stream) try() (well bool) {
	if s.r.mem != nil {
		s.r.mem.try()
		defer s.r.mem.undo()
	}
	for s.r.more() {
		if v := s.r.next(); v == dead || v == good && !s.arrive() {
			return false
		}
	}
	s.r.again()
	return true
}

// row puts a row where it belongs.
func (s *Stream) row(c *Counts) fate {
	if s.st == nil {
		c.Produced++
		s.out.only(s.r)
		return isApplied
	}
	if !s.arrive() {
		return isDead
	}
	f := s.st.add(&s.in)
	switch f {
	case isLate:
		s.out.late(&s.in)
		return f
	case isDropped:
		s.sayFull()
	}
	s.wm.row(s.in.at)
	return f
}

// arrive makes the row ready for the state. It returns false if the row has a text that is too long to be held; s.r.reason says which.
func (s *Stream) arrive() bool {
	in, r := &s.in, s.r
	in.at, in.key = r.row.Time, r.group()
	r.arguments()
	if len(in.key) > maxText || len(s.p.keeping) > 0 {
		r.reason = tooLong(s.p, in.key, in.args)
		return r.reason == ""
	}
	return true
}

// maxText bounds what a group holds of texts, in bytes: its key, which is a key of the store too, and those take 32 KiB; and what first and last
// keep. max_groups would bound nothing otherwise.
const maxText = 4 << 10

// tooLong says why a row cannot be put into a group: "" if it can.
func tooLong(p *Plan, key []byte, args []edged.Value) (reason string) {
	if len(key) > maxText {
		return fmt.Sprintf("what it is grouped by is %d bytes long; %d is the most", len(key), maxText)
	}
	for _, i := range p.keeping {
		if n := len(args[p.input[i]].Str()); n > maxText {
			return fmt.Sprintf("what %s would keep is %d bytes long; %d is the most", p.aggs[i].name, n, maxText)
		}
	}
	return ""
}

// sayFull says once that rows are dropped because there are too many groups; the count says the rest.
func (s *Stream) sayFull() {
	if s.saidFull || s.out.mute {
		return
	}
	s.saidFull = true
	s.o.Log.Warn("there are max_groups groups: rows of further ones are dropped and counted, those that are there go on; raise max_groups, or group by less",
		"stream", s.name, "max_groups", s.p.groups)
}

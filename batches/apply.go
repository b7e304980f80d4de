package batches

import (
	"fmt"

	"edged"
)

// apply takes one entry of the log: its rows in order, then the watermark.
func (s *Stream) apply(e *edged.Entry) {
	rows := false
	switch {
	case e.Err != nil:
		if !s.out.mute {
			s.o.Log.Error("a log entry cannot be read; its messages are counted as damaged, the stream goes on", "stream", s.name, "error", e.Err)
		}
	case e.Block != nil && s.p.takes(e.Block.Receiver):
		rows = s.block(e.Block)
	}
	s.wm.entryEnd(e, rows)
	if s.st != nil {
		s.st.close(s.wm.now(), s.leave(false))
	}
	s.out.entryEnd(e.Seq, s.wm.now())
	if e.Tick != nil && !s.out.mute {
		s.balance(e.Tick)
	}
}

// leave gives a window's rows to the output.
func (s *Stream) leave(partial bool) func(edged.Window, *pane, []*group, *pane) {
	return func(win edged.Window, merged *pane, groups []*group, prev *pane) {
		if s.out.mute {
			return
		}
		s.out.window(win, merged, groups, prev, partial)
		s.rec.Produced += uint64(len(groups))
	}
}

// balance holds what the stream has seen against what the committer has counted: what is missing was in entries that were
// lost or could not be read.
func (s *Stream) balance(t *edged.Tick) {
	if routed, ok := s.rec.routed(s.name, t); ok && routed > s.rec.passed() {
		s.rec.Damaged += routed - s.rec.passed()
	}
}

// block applies a block's messages, and reports whether the stream got a row of it.
func (s *Stream) block(b *edged.Block) (rows bool) {
	c := s.rec.Counts
	for i := range b.Len() {
		info, v := s.r.read(b, i)
		switch v {
		case notRouted:
			continue
		case filtered:
			c.Filtered++
		case dead:
			c.Dead++
			s.out.deadLetter(b, i, s.r.reason)
		case good:
			rows = s.row(&c, b, i, info) || rows
		}
		if b.Seq < s.rec.born && !s.out.mute {
			s.rec.old++
		}
	}
	if !s.out.mute {
		s.rec.Counts = c
	}
	return rows
}

// row puts the row of message i where it belongs. It reports whether it was one: a text that is too long to be held makes it a dead letter.
func (s *Stream) row(c *Counts, b *edged.Block, i int, info *topicInfo) bool {
	if s.st == nil {
		c.Applied++
		c.Produced++
		return true
	}
	key, values := s.r.group(info)
	args := s.r.arguments()
	if reason := tooLong(s.p, key, args); reason != "" {
		c.Dead++
		s.out.deadLetter(b, i, reason)
		return false
	}
	k := paneKey{start: s.p.window.Pane(s.r.row.Time)}
	if s.p.time.field == nil {
		k.epoch = b.Cut.Epoch
	} else if s.st.late(k, s.wm.now()) {
		c.Late++
		return true
	}
	s.wm.row(s.r.row.Time)
	if s.st.add(k, key, values, b.Trusted, args, s.r.row.Time) {
		c.Applied++
	} else {
		c.Dropped++
		s.sayFull()
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
	for i, v := range args {
		if a := &p.aggs[i]; a.kind.Keeps && len(v.Str()) > maxText {
			return fmt.Sprintf("what %s would keep is %d bytes long; %d is the most", a.name, len(v.Str()), maxText)
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
	s.o.Log.Warn("a window has max_groups groups: rows of further groups are dropped and counted, the groups that are there go on; raise max_groups, or group by less",
		"stream", s.name, "max_groups", s.p.groups)
}

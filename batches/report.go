package batches

import (
	"time"

	"edged"
)

// Report is what one step of a stream did (Spark: BatchInfo).
type Report struct {
	Messages map[string]int // taken, by receiver, also those of other topics; it is the stream's again when the callback returns
	Rows     int            // that the stream gave: results, or rows of a stateless stream
	Took     time.Duration  // reading, decoding, windows, and the commit of what they gave
	Delay    time.Duration  // how long the step could have begun before it did: what waited longest waited so much more than a batch interval
}

// reporter gathers the report of the step under way. It belongs to the stream's Run.
type reporter struct {
	messages map[string]int
	rows     uint64    // produced before the step
	began    time.Time // zero before the first step
	delay    time.Duration
}

// beginReport is called when a step begins. Everything that the log held when the step before began was taken by that one, so that what this one
// finds has waited since then at the most.
func (s *Stream) beginReport() {
	r, now := &s.report, time.Now()
	if r.delay = 0; !r.began.IsZero() {
		r.delay = max(0, now.Sub(r.began)-s.o.Interval)
	}
	if r.messages == nil {
		r.messages = map[string]int{}
	}
	clear(r.messages)
	r.began, r.rows = now, s.rec.Produced
}

// countBlock counts a block that the step takes.
func (s *Stream) countBlock(b *edged.Block) {
	if s.p.takes(b.Receiver) {
		s.report.messages[b.Receiver] += b.Len()
	}
}

// endReport is called when a step has ended without an error, outside of any lock.
func (s *Stream) endReport() {
	r := &s.report
	if rows := int(s.rec.Produced - r.rows); s.o.Report != nil && (len(r.messages) > 0 || rows > 0) {
		s.o.Report(Report{Messages: r.messages, Rows: rows, Took: time.Since(r.began), Delay: r.delay})
	}
}

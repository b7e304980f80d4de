package batches

import (
	"fmt"

	"edged"
	"edged/batches/window"
	"edged/internal/conf"
)

// lateRows is the gatherer of a stream with late = "…".
type lateRows struct {
	sideRows
	side      sideLog
	cause     uint64 // the last block with a row in what is gathered
	watermark edged.Instant
}

// late appends a row that came too late, as it would be in a stream without a window. A replay gives none.
func (o *output) late(in *arrived) {
	g := o.tooLate
	if g == nil || o.mute {
		return
	}
	g.rows.Stream, g.rows.Names = g.log, o.p.rowNames
	g.rows.Cells = in.reader.output(g.rows.Cells)
	g.cause, g.watermark = in.reader.block.Seq, in.watermark
	if g.end(resultBytes) {
		o.results = append(o.results, g.entry()) // entryEnd says what caused it
	}
}

// lateStepEnd makes an entry of the late rows that a step has gathered: one for each block would be a bucket each.
func (o *output) lateStepEnd() {
	if g := o.tooLate; g != nil && g.rows.Len() > 0 {
		r := g.entry()
		r.Cause, r.Watermark = g.cause, g.watermark
		o.results = append(o.results, r)
	}
}

// lates reports whether a row of the stream can be late.
func (p *Plan) lates() bool {
	return p.time.field != nil && !p.joinsStreams() && (p.window.OnGrid() || p.window.Kind == window.Session)
}

// checkLate reports late rows that there will never be.
func (c *StreamConfig) checkLate(t *conf.Table, p *Plan) bool {
	if c.Late == "" || p.lates() || c.Time == "arrival" { // of the last, check has said it
		return true
	}
	if p != nil && p.joinsStreams() {
		t.Errorf("late", "late is not for a join of two streams: what comes too late is late for the join, before there is a row of this stream; it is counted")
		return false
	}
	why := "without a window no row is late"
	if c.Window != "" {
		why = fmt.Sprintf("in a window = %q no row is late", c.Window)
	}
	t.Errorf("late", "late is for tumbling, sliding and session windows: %s", why)
	return false
}

// LateNames are the columns of the rows that came too late.
func (p *Plan) LateNames() []string { return append([]string(nil), p.rowNames...) }

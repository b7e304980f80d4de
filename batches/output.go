package batches

import (
	"slices"

	"edged"
	"edged/batches/expression"
	"edged/internal/deadletter"
	"edged/internal/rowcodec"
)

// output gathers what a step gives until it is committed.
type output struct {
	p       *Plan
	results []edged.Result
	rows    edged.Rows // of the result entry that is being made
	size    int
	mute    bool // a replay: state is rebuilt, and nothing is given

	chain   *chain    // nil: no stream takes from this one
	unread  bool      // nobody reads the result log: rows are not put into it
	tooLate *lateRows // nil: late rows are counted alone

	produced uint64                // rows given, and not counted yet
	eval     *expression.Evaluator // of having
}

// resultBytes bounds one result entry, roughly.
const resultBytes = 1 << 20

// signs are what a result says of itself besides its values.
type signs struct {
	untrusted bool   // a block in it was cut while the wall clock was not synchronised
	partial   bool   // a part of it is missing
	revision  uint64 // of a result that was or will be given again; 0: it is given once

	early bool          // it is not the last one of its window
	at    edged.Instant // on arrival time: of the latest row in it, of its epoch; of what leaves with its rows
}

// result appends what a group gives in a window. before is what is known of it before the window, nil if nothing is.
func (o *output) result(win edged.Window, g *group, before *past, is signs) {
	if o.mute {
		return
	}
	cells := append(o.rows.Cells, edged.TimeValue(win.Start), edged.TimeValue(win.End))
	cells = append(cells, g.values...)
	for i, acc := range g.accs {
		var prev edged.Accumulator
		if before != nil {
			prev = before.accs[i]
		}
		v := acc.Result(win, prev)
		cells = append(cells, v)
		o.size += len(v.Str())
	}
	cells = append(cells, epochCell(win.Epoch), trustedCell(!is.untrusted))
	if o.p.early > 0 {
		cells = append(cells, revisionCell(is.revision))
	}
	cells = append(cells, partialCell(is.partial || before != nil && before.lost))
	if o.p.having != nil {
		if had := len(o.rows.Cells); !o.eval.True(o.p.having, &expression.Row{Cols: cells[had:], Time: win.Start}) {
			return
		}
	}
	row := o.rows.Len()
	o.rows.Cells = cells
	if o.chain != nil && !is.early {
		o.final(win, is, row)
	}
	o.given()
}

// final gives a result to the streams that take from this one: without its revision, unless it is one of many. How often a window was given before is
// nobody's matter there, and depends on ticks.
func (o *output) final(win edged.Window, is signs, row int) {
	i := slices.Index(o.p.names, "revision")
	if i < 0 || !o.p.follows() {
		o.chain.result(win, is, row)
		return
	}
	cell := &o.rows.Cells[row*len(o.p.names)+i]
	was := *cell
	*cell = edged.Value{}
	o.chain.result(win, is, row)
	*cell = was
}

// given ends a row.
func (o *output) given() {
	o.produced++
	if o.unread {
		o.drop()
		return
	}
	o.rows.At = append(o.rows.At, edged.Pos{})
	if o.size += 24 * len(o.p.names); o.size >= resultBytes {
		o.entryEnd(0, edged.Instant{})
	}
}

// hasRoom reports whether a step may go on before what it has given is committed.
func (o *output) hasRoom() bool {
	n := len(o.results)
	if o.chain != nil {
		if o.chain.size >= stepGiven {
			return false
		}
		n += len(o.chain.blocks)
	}
	return n < stepResults
}

// drop takes the cells of a row back that is not put into the result log.
func (o *output) drop() {
	o.rows.Cells, o.size = o.rows.Cells[:o.rows.Len()*len(o.p.names)], 0
}

// row appends a row that is given as it is.
func (o *output) row(in *arrived) {
	if o.mute {
		return
	}
	had := len(o.rows.Cells)
	o.rows.Cells = in.reader.output(o.rows.Cells)
	for i, v := range o.rows.Cells[had:] {
		o.rows.Cells[had+i] = own(v)
		o.size += len(v.Str())
	}
	o.passOn(in.reader, in.left)
	o.given()
}

// passOn gives the row whose cells were appended last to the streams that take from this one: with the topic and the arrival of its message. One that a join
// of two streams has held arrives when it has left that.
func (o *output) passOn(r *rowReader, left edged.Instant) {
	switch c := o.chain; {
	case c == nil:
	case r.held != nil:
		c.add(left, r.heldTrusted, r.held.topic, o.rows.Len())
	default:
		b, i := r.block, r.index
		c.add(edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[i]}, b.Trusted, b.TopicOf(i), o.rows.Len())
	}
}

// only gives a row of a stateless stream to the streams that take from it, and to nobody else: deliveries make it of the message again.
func (o *output) only(r *rowReader) {
	if o.chain != nil {
		o.rows.Cells = r.output(o.rows.Cells)
		o.passOn(r, edged.Instant{})
		o.drop()
	}
}

func revisionCell(revision uint64) edged.Value {
	if revision == 0 {
		return edged.Value{}
	}
	return edged.NumberValue(float64(revision))
}

func partialCell(partial bool) edged.Value {
	if !partial {
		return edged.Value{}
	}
	return edged.BoolValue(true)
}

// entryEnd makes a result entry of the rows that one log entry caused.
func (o *output) entryEnd(cause uint64, w edged.Instant) {
	if n := o.rows.Len(); n > 0 {
		o.rows.Stream, o.rows.Names = o.p.Name, o.p.names
		o.results = append(o.results, edged.Result{Stream: o.p.Name, Rows: uint32(n), Data: rowcodec.Append(nil, &o.rows)})
		o.rows.Cells, o.rows.At, o.size = o.rows.Cells[:0], o.rows.At[:0], 0
	}
	if cause == 0 {
		return
	}
	for i := len(o.results) - 1; i >= 0 && o.results[i].Cause == 0; i-- { // also those that were full before the end
		o.results[i].Cause, o.results[i].Watermark = cause, w
	}
}

// deadLetter appends a message that can never be read.
func (o *output) deadLetter(b *edged.Block, i int, reason string) {
	if o.mute {
		return
	}
	o.results = append(o.results, deadletter.New(o.p.Name, "", b.Arrival[i], reason, b.TopicOf(i), b.Payload(i)))
}

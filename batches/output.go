package batches

import (
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
}

// result appends what a group gives in a window. before is the group in the stretch directly before the window, nil if there is none.
func (o *output) result(win edged.Window, g, before *group, is signs) {
	if o.mute {
		return
	}
	cells := append(o.rows.Cells, edged.TimeValue(win.Start), edged.TimeValue(win.End))
	cells = append(cells, g.values...)
	for i, acc := range g.accs {
		var prev edged.Accumulator
		if before != nil && o.p.aggs[i].kind.Previous {
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
	cells = append(cells, partialCell(is.partial))
	if o.p.having != nil {
		if had := len(o.rows.Cells); !o.eval.True(o.p.having, &expression.Row{Cols: cells[had:], Time: win.Start}) {
			return
		}
	}
	o.rows.Cells = cells
	o.rows.At = append(o.rows.At, edged.Pos{})
	o.produced++
	if o.size += 24 * len(o.p.names); o.size >= resultBytes {
		o.entryEnd(0, edged.Instant{})
	}
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
	o.rows.At = append(o.rows.At, edged.Pos{})
	o.produced++
	if o.size += 24 * len(o.p.names); o.size >= resultBytes {
		o.entryEnd(0, edged.Instant{})
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

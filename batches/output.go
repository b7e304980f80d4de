package batches

import (
	"edged"
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
}

// resultBytes bounds one result entry, roughly.
const resultBytes = 1 << 20

// window appends a window's groups as rows.
func (o *output) window(win edged.Window, merged *pane, groups []*group, prev *pane, partial bool) {
	for _, g := range groups {
		cells := append(o.rows.Cells, edged.TimeValue(win.Start), edged.TimeValue(win.End))
		cells = append(cells, g.values...)
		for i, acc := range g.accs {
			var before edged.Accumulator
			if prev != nil && o.p.aggs[i].kind.Previous {
				if pg := prev.groups[g.key]; pg != nil {
					before = pg.accs[i]
				}
			}
			v := acc.Result(win, before)
			cells = append(cells, v)
			o.size += len(v.Str())
		}
		cells = append(cells, epochCell(win.Epoch), trustedCell(!merged.untrusted), partialCell(partial || merged.incomplete))
		o.rows.Cells = cells
		o.rows.At = append(o.rows.At, edged.Pos{})
		if o.size += 24 * len(o.p.names); o.size >= resultBytes {
			o.entryEnd(0, edged.Instant{})
		}
	}
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

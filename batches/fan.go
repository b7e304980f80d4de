package batches

import (
	"fmt"

	"edged"
	"edged/batches/expression"
)

// A message can have many rows: its payload has (lines, an influx batch, a SenML pack), or flat_map takes a list in it apart. It is
// good or poison as a whole, so that it has one fate in the ledger: what is wrong with one of its rows is found before the first one counts.

// The bounds of what one message can become.
const (
	maxFan      = 1<<fanBits - 1 // rows
	maxFanCells = 1 << 18        // columns of all rows: 10 MiB
)

// fanBits are the low bits of a row's offset in a block, when messages can have many rows: offset = message << fanBits + row. So a
// delivery can stop between two rows of a message, and go on there.
const fanBits = 16

// fans reports whether a message of the stream can have other than one row.
func (p *Plan) fans() bool { return p.decode.Many || p.flat != nil }

// offset is where a row stands in its block.
func (p *Plan) offset(message, row int) uint32 {
	if p.fans() {
		return uint32(message)<<fanBits + uint32(row)
	}
	return uint32(message + row)
}

// message is the message that a row's offset, or the one behind a row, is in, and its first row that counts from there.
func (p *Plan) message(off uint32) (message, row int) {
	if p.fans() {
		return int(off >> fanBits), int(off & (1<<fanBits - 1))
	}
	return int(off), 0
}

// fan holds the rows of one message.
type fan struct {
	width int
	cells []edged.Value
	times []int64
	shows bool
	shown []edged.Value // if shows: what a row without select shows
}

// load makes row i the row. Its columns stay where they are; what is computed of it goes there, too.
func (f *fan) load(i int, row *expression.Row) {
	row.Cols = f.cells[i*f.width : (i+1)*f.width]
	row.Time = f.times[i]
}

// shows reports whether a row of the plan may have to show its payload.
func (p *Plan) shows() bool { return len(p.selects) == 0 && (!p.Windowed() || p.lates()) }

// spread reads all rows of the message whose payload was decoded; the first of n is in r.row. It says what makes the message poison.
func (r *rowReader) spread(n int) (reason string) {
	f, payload, arrival := r.many, r.block.Payload(r.index), r.row.Time
	r.row.Cols = r.cols
	f.width, f.cells, f.times, f.shown = len(r.row.Cols), f.cells[:0], f.times[:0], f.shown[:0]
	for i := range n {
		if i > 0 {
			r.dec.Next(payload, r.row.Cols)
		}
		if r.p.flat == nil {
			reason = r.keep(arrival, payload)
		} else {
			reason = r.unnest(arrival, payload)
		}
		if reason != "" {
			return reason
		}
	}
	r.rows = len(f.times)
	return ""
}

// keep notes the row that is in r.row.
func (r *rowReader) keep(arrival int64, payload []byte) (reason string) {
	f := r.many
	if len(f.times) >= maxFan || len(f.cells)+f.width > maxFanCells {
		return fmt.Sprintf("it has more than %d rows; send fewer at once", len(f.times))
	}
	r.row.Time = arrival
	if r.p.time.field != nil {
		if reason := r.readTime(); reason != "" {
			return fmt.Sprintf("row %d: %s", len(f.times)+1, reason)
		}
	}
	f.cells, f.times = append(f.cells, r.row.Cols...), append(f.times, r.row.Time)
	if f.shows {
		shown := r.dec.Payload(payload)
		if r.p.flat != nil {
			shown = r.row.Cols[r.p.flat.slot]
		}
		f.shown = append(f.shown, shown)
	}
	return ""
}

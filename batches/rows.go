package batches

import (
	"fmt"
	"math"
	"strings"
	"time"

	"edged"
	"edged/batches/decode"
	"edged/batches/expression"
)

// verdict is what becomes of a message on its way to a row.
type verdict uint8

const (
	notRouted verdict = iota // another receiver's, or another topic
	filtered                 // where does not hold, or the rows before it say so
	excess                   // there are too many keys to remember
	dead                     // it can never be read; see rowReader.reason
	good
)

// rowReader turns messages into rows: begin reads a message as a whole, next steps through its rows. Each goroutine has its own; the
// plan is shared.
type rowReader struct {
	p      *Plan
	blind  bool // see Plan.blind
	alone  bool // see Plan.alone
	dec    decode.Decoder
	dated  decode.Dated // dec, if it is to know when a payload came
	eval   *expression.Evaluator
	row    expression.Row
	cols   []edged.Value // that the decoder fills: those of row, but for the rows of many
	reason string
	topics topicInfos
	key    []byte
	joined []byte        // see joinKey
	args   []edged.Value // what the aggregates take of the row: see Plan.inputs

	block *edged.Block // of the message
	sound bool         // none of its messages is poison: see Stream.isSound
	index int
	at    int // rows of it that next has given
	rows  int
	many  *fan // nil for a stream whose messages have one row each
	topic *topicInfo
	mem   *memory // nil for a stream whose rows do not depend on those before them, and for one that only reads
	table *table  // what rows are joined with; nil for a stream that joins no table, and for one that only reads

	held        *heldRow // the row is not the block's: it was held by a join
	heldTrusted bool     // of it and its partner
}

func newRowReader(p *Plan) *rowReader {
	cols := make([]edged.Value, len(p.paths))
	r := &rowReader{
		p: p, blind: p.blind(), dec: p.decode.New(p.paths), eval: expression.NewEvaluator(),
		row: expression.Row{Cols: cols}, cols: cols, args: make([]edged.Value, len(p.inputs)), topics: newTopicInfos(p),
	}
	if r.alone = p.alone(); p.fans() {
		r.many = &fan{shows: p.shows()}
	}
	r.dated, _ = r.dec.(decode.Dated)
	return r
}

// begin reads message i of a block of a receiver that the stream takes. After good, next gives its rows, of which there may be none. A
// payload that makes a decoder panic is poison like any other that cannot be read.
func (r *rowReader) begin(b *edged.Block, i int) (v verdict) {
	if b != r.block {
		r.enter(b)
	}
	name := b.Topic[i]
	info := r.info(name)
	if !info.routed {
		return notRouted
	}
	r.index, r.at, r.topic = i, 0, info
	r.row.Topic, r.row.Time, r.row.QoS, r.row.Retain = b.Topics[name], b.Arrival[i], b.QoS(i), b.Retain(i)
	if r.sound && r.blind {
		r.rows = 1
		return good
	}
	defer func() {
		if p := recover(); p != nil {
			v, r.reason = dead, fmt.Sprintf("reading it caused a panic: %v", p)
		}
	}()
	if r.dated != nil {
		r.dated.Arrived(b.Arrival[i])
	}
	n, err := r.dec.Decode(b.Payload(i), r.cols)
	if err != nil {
		r.reason = "not " + r.p.format + ": " + err.Error()
		return dead
	}
	if r.many != nil {
		if r.reason = r.spread(n); r.reason != "" {
			return dead
		}
		return good
	}
	r.rows = n
	if r.p.time.field != nil && n > 0 {
		if r.reason = r.readTime(); r.reason != "" {
			return dead
		}
	}
	return good
}

// more reports whether the message has a further row.
func (r *rowReader) more() bool { return r.at < r.rows }

// next moves on to it, and says whether it is to go on: not if where or the rows before it are against it. Any other
// verdict than good and filtered is the message's. r.row holds the row: texts in it are valid until the next call of begin.
func (r *rowReader) next() verdict {
	r.load()
	if r.table != nil && !r.table.join(r) {
		return filtered
	}
	return r.through()
}

// load puts the message's next row, as it was decoded, into r.row.
func (r *rowReader) load() {
	if r.many != nil {
		r.many.load(r.at, &r.row)
	}
	r.at++
}

// through has the row that is in r.row go as far as the window, and says whether it gets there.
func (r *rowReader) through() (v verdict) {
	var e *remembered
	if r.mem != nil && len(r.p.lags) > 0 {
		if e, v = r.remember(); v != good {
			return v
		}
		e.lag(r.p, r.eval, &r.row)
	}
	if r.p.where != nil && !r.eval.True(r.p.where, &r.row) {
		return filtered
	}
	for _, s := range r.p.selects {
		r.row.Cols[s.slot] = r.eval.Value(s.expr, &r.row)
	}
	if r.mem != nil {
		if e == nil {
			if e, v = r.remember(); v != good {
				return v
			}
		}
		if !e.passes(r.p, r.eval, &r.row) {
			return filtered
		}
	}
	return good
}

// alone reports whether every message is one row, which goes through as it was decoded if nothing is remembered and no table is joined.
func (p *Plan) alone() bool {
	return !p.fans() && len(p.lags) == 0 && p.where == nil && len(p.selects) == 0
}

// remember finds what is kept of the row's key.
func (r *rowReader) remember() (*remembered, verdict) {
	key := r.group()
	if len(r.p.keys) == 0 {
		r.key = append(r.key[:0], r.row.Topic...)
		key = r.key
	}
	if len(key) > maxText {
		r.reason = fmt.Sprintf("what it is grouped by is %d bytes long; %d is the most", len(key), maxText)
		return nil, dead
	}
	e := r.mem.of(key)
	if e == nil {
		return nil, excess
	}
	return e, good
}

// again has next begin with the message's first row once more.
func (r *rowReader) again() { r.at = 0 }

// readTime takes the row's time from its field. A time too far ahead of the arrival is refused: one such row would close
// every window before it. It is judged against the recorded arrival, so that a replay judges the same.
func (r *rowReader) readTime() (reason string) {
	t := &r.p.time
	at, reason := t.read(r.row.Cols[t.slot], strings.Join(t.field, "."), r.block, r.index)
	if reason == "" {
		r.row.Time = at
	}
	return reason
}

// read reads the time of a row of message i of a block from a field of that name.
func (t *timeSpec) read(v edged.Value, field string, b *edged.Block, i int) (at int64, reason string) {
	if v.Kind() == edged.Time {
		at = v.Nanos()
	} else if f, ok := v.Float(); ok && math.Abs(f) < 9e18/float64(t.unit) {
		whole := int64(f)
		at = whole*t.unit + int64((f-float64(whole))*float64(t.unit))
	} else if x, err := time.Parse(time.RFC3339Nano, v.Str()); v.Kind() == edged.Text && err == nil && x.Year() > 1678 && x.Year() < 2262 { // what nanoseconds hold
		at = x.UnixNano()
	} else {
		return 0, fmt.Sprintf("the time field %s is missing or no time", field)
	}
	if b.Trusted && at > b.Arrival[i]+t.maxFuture {
		return 0, fmt.Sprintf("the time field %s is %v ahead of the arrival (max_future is %v)", field,
			time.Duration(at-b.Arrival[i]).Round(time.Second), time.Duration(t.maxFuture))
	}
	return at, ""
}

// arguments evaluates what the aggregates take of the row.
func (r *rowReader) arguments() {
	for i, x := range r.p.inputs {
		if x != nil {
			r.args[i] = r.eval.Value(x, &r.row)
		}
	}
}

// own copies the text of a value, which belongs to a decoder.
func own(v edged.Value) edged.Value {
	switch v.Kind() {
	case edged.Text:
		return edged.TextValue(strings.Clone(v.Str()))
	case edged.JSON:
		return edged.JSONValue(strings.Clone(v.Str()))
	case edged.Bytes:
		return edged.BytesValue(strings.Clone(v.Str()))
	}
	return v
}

func orNull(v edged.Value) edged.Value {
	if v.Missing() {
		return edged.NullValue()
	}
	return v
}

// output appends the cells of a row as it is: see Plan.rowNames.
func (r *rowReader) output(cells []edged.Value) []edged.Value {
	cells = append(cells, edged.TimeValue(r.row.Time), edged.TextValue(r.row.Topic))
	for _, k := range r.p.keys {
		cells = append(cells, own(orNull(r.eval.Value(k.expr, &r.row))))
	}
	for _, s := range r.p.shown {
		cells = append(cells, own(orNull(r.row.Cols[s.slot])))
	}
	if len(r.p.selects) == 0 {
		cells = append(cells, r.show())
	}
	if r.held != nil {
		return append(cells, epochCell(r.held.arrived), trustedCell(r.heldTrusted))
	}
	return append(cells, epochCell(r.block.Cut.Epoch), trustedCell(r.block.Trusted))
}

// show is what a row without select shows of its payload.
func (r *rowReader) show() edged.Value {
	switch {
	case r.held != nil:
		return r.held.shown
	case r.many == nil:
		return r.dec.Payload(r.block.Payload(r.index))
	case r.p.flat != nil: // it may be in the decoder's memory, which is used again
		return own(r.many.shown[r.at-1])
	}
	return r.many.shown[r.at-1]
}

// epochCell and trustedCell appear only when they say something.
func epochCell(epoch uint32) edged.Value {
	if epoch == 0 {
		return edged.Value{}
	}
	return edged.NumberValue(float64(epoch))
}

func trustedCell(trusted bool) edged.Value {
	if trusted {
		return edged.Value{}
	}
	return edged.BoolValue(false)
}

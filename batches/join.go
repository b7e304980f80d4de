package batches

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"edged"
	"edged/batches/decode"
	"edged/batches/expression"
	"edged/internal/topic"
)

// otherSide reads messages of a join's other side. Each goroutine has its own.
type otherSide struct {
	j     *join
	dec   decode.Decoder
	dated decode.Dated
	cols  []edged.Value // by join.paths
	topic string        // of the message
	key   []byte
}

func newOtherSide(j *join) *otherSide {
	o := &otherSide{j: j, dec: j.kind.New(j.paths), cols: make([]edged.Value, len(j.paths))}
	o.dated, _ = o.dec.(decode.Dated)
	if h, ok := o.dec.(decode.Hinted); ok { // 007 is what it is
		for _, i := range j.keys {
			if i >= 0 {
				h.KeepText(i)
			}
		}
	}
	return o
}

// read reads a payload, and calls each for its rows, which are in o.cols until it returns. It says what makes the payload poison. Rows that came before that
// have been given: whoever must not have them asks twice.
func (o *otherSide) read(payload []byte, arrival int64, each func(row int) (reason string)) (reason string) {
	defer func() {
		if p := recover(); p != nil {
			reason = fmt.Sprintf("reading it caused a panic: %v", p)
		}
	}()
	if o.dated != nil {
		o.dated.Arrived(arrival)
	}
	if o.j.table() && !o.j.kind.Many {
		return o.lines(payload, each)
	}
	n, err := o.dec.Decode(payload, o.cols)
	if err != nil {
		return "not " + o.j.format + ": " + err.Error()
	}
	if h, ok := o.dec.(decode.Headed); ok {
		for _, i := range o.j.keys {
			if i >= 0 && !h.Names(i) {
				return fmt.Sprintf("its heading names no column %q, by which it is joined", strings.Join(o.j.paths[i], "."))
			}
		}
	}
	for i := range n {
		if i > 0 {
			o.dec.Next(payload, o.cols)
		}
		if reason := each(i); reason != "" {
			return reason
		}
	}
	return ""
}

// lines reads a table of which each line is a payload.
func (o *otherSide) lines(text []byte, each func(row int) (reason string)) (reason string) {
	row := 0
	for n := 1; len(text) > 0; n++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if text = rest; len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if row++; row > decode.MaxRows {
			return fmt.Sprintf("more than %d rows", decode.MaxRows)
		}
		if _, err := o.dec.Decode(line, o.cols); err != nil {
			return fmt.Sprintf("not %s: line %d: %v", o.j.format, n, err)
		}
		if reason := each(row - 1); reason != "" {
			return reason
		}
	}
	return ""
}

// keyOf is what the row that was read must be equal in, valid until the next call; nil if something of it is missing.
func (o *otherSide) keyOf() []byte {
	o.key = o.key[:0]
	for _, i := range o.j.keys {
		var v edged.Value
		if i >= 0 {
			v = o.cols[i]
		} else if level := topic.Level(o.topic, ^i); level != "" {
			v = edged.TextValue(level)
		}
		var ok bool
		if o.key, ok = appendWritten(o.key, v); !ok {
			return nil
		}
	}
	return o.key
}

// fields are those that expressions name, owned.
func (o *otherSide) fields() []edged.Value {
	out := make([]edged.Value, len(o.j.read))
	for i, at := range o.j.read {
		out[i] = own(o.cols[at])
	}
	return out
}

// joinKey is what a row of this side must be equal in, valid until the next call; nil if something of it is missing.
func (r *rowReader) joinKey() []byte {
	r.joined = r.joined[:0]
	for _, x := range r.p.join.own {
		var ok bool
		if r.joined, ok = appendWritten(r.joined, r.eval.Value(x, &r.row)); !ok {
			return nil
		}
	}
	return r.joined
}

// partner puts the other side's fields into the row; nil: it has none.
func (j *join) partner(row *expression.Row, fields []edged.Value) {
	for i, f := range j.fields {
		if fields == nil {
			row.Cols[f.Slot] = edged.Value{}
		} else {
			row.Cols[f.Slot] = fields[i]
		}
	}
}

// appendWritten appends a value as it is written, without blanks around it: so the level "7" of a topic is the number 7 of a payload. Nothing can be equal to a
// value that is missing. Its length comes first, so that no two lists of values are the same.
func appendWritten(b []byte, v edged.Value) ([]byte, bool) {
	var scratch [32]byte
	text := ""
	switch v.Kind() {
	case edged.Absent, edged.Null:
		return b, false
	case edged.Bool:
		text = strconv.FormatBool(v.Bool())
	case edged.Number:
		f, _ := v.Float()
		format := byte('f')
		if a := math.Abs(f); a >= 1e21 || a < 1e-6 && a != 0 {
			format = 'g'
		}
		number := strconv.AppendFloat(scratch[:0], f, format, -1, 64)
		return append(append(b, byte(len(number)), 0), number...), true // it fits: 25 characters
	case edged.Time:
		text = time.Unix(0, v.Nanos()).UTC().Format(time.RFC3339Nano)
	default:
		text = strings.TrimSpace(v.Str())
	}
	if len(text) > math.MaxUint16 {
		return b, false // as long as nobody's key
	}
	return append(append(b, byte(len(text)), byte(len(text)>>8)), text...), true
}

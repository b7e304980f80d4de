// Package rowcodec is how rows are written into a result log. It is part of the stored format: blockstore/FORMAT.md
// describes it.
package rowcodec

import (
	"encoding/binary"
	"errors"
	"math"

	"edged"
)

// The versions: rows for whoever reads the log, and rows for some sinks, whose names stand before the others' form.
const (
	version  = 1
	forSinks = 2
)

// AppendFor encodes rows that are for these sinks only; none means all.
func AppendFor(b []byte, r *edged.Rows, sinks []string) []byte {
	if len(sinks) > 0 {
		b = append(b, forSinks)
		b = binary.AppendUvarint(b, uint64(len(sinks)))
		for _, s := range sinks {
			b = appendStr(b, s)
		}
	}
	return Append(b, r)
}

// IsFor reports whether encoded rows are for a sink, among others.
func IsFor(b []byte, sink string) bool {
	d := Reader{B: b}
	if d.byte() != forSinks {
		return true
	}
	for range d.count() {
		if d.str() == sink {
			return true
		}
	}
	return d.Err != nil // damaged: who decodes them finds out
}

// Append encodes rows. Their positions are not written: a row's place in the result log is its position.
func Append(b []byte, r *edged.Rows) []byte {
	b = append(b, version)
	b = appendStr(b, r.Stream)
	b = binary.AppendUvarint(b, uint64(len(r.Names)))
	for _, n := range r.Names {
		b = appendStr(b, n)
	}
	for _, v := range r.Cells {
		b = AppendValue(b, v)
	}
	return b
}

func appendStr(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendValue encodes one value so that different values have different encodings, and no encoding is the beginning of
// another: values in a row make a key.
func AppendValue(b []byte, v edged.Value) []byte {
	b = append(b, byte(v.Kind()))
	switch v.Kind() {
	case edged.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case edged.Number:
		f, _ := v.Float()
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	case edged.Time:
		return binary.LittleEndian.AppendUint64(b, uint64(v.Nanos()))
	case edged.Text, edged.JSON, edged.Bytes:
		return appendStr(b, v.Str())
	}
	return b
}

// Decode reads what Append or AppendFor wrote. n is the number of rows; seq becomes their positions' sequence number. The rows share
// nothing with b.
func Decode(b []byte, seq uint64, n uint32) (*edged.Rows, error) {
	d := Reader{B: b}
	v := d.byte()
	if v == forSinks {
		for range d.count() {
			d.str()
		}
		v = d.byte()
	}
	if v != version {
		return nil, errors.New("rows of an unknown version")
	}
	r := &edged.Rows{Stream: d.str()}
	cols := d.count()
	for range cols {
		r.Names = append(r.Names, d.str())
	}
	if uint64(n)*max(uint64(cols), 1) > uint64(len(d.B)) {
		return nil, errShort
	}
	r.Cells = make([]edged.Value, 0, int(n)*cols)
	r.At = make([]edged.Pos, n)
	for i := range r.At {
		r.At[i] = edged.Pos{Seq: seq, Off: uint32(i)}
		for range cols {
			r.Cells = append(r.Cells, d.Value())
		}
	}
	if d.Err == nil && len(d.B) > 0 {
		return nil, errors.New("rows are followed by something else")
	}
	return r, d.Err
}

var errShort = errors.New("rows end too early")

// Reader takes values off the front of B. After the first failure Err is set and every value is Absent.
type Reader struct {
	B   []byte
	Err error
}

// Value reads what AppendValue wrote.
func (d *Reader) Value() edged.Value {
	switch k := edged.Kind(d.byte()); k {
	case edged.Absent:
		return edged.Value{}
	case edged.Null:
		return edged.NullValue()
	case edged.Bool:
		return edged.BoolValue(d.byte() == 1)
	case edged.Number:
		return edged.NumberValue(math.Float64frombits(d.u64()))
	case edged.Time:
		return edged.TimeValue(int64(d.u64()))
	case edged.Text:
		return edged.TextValue(d.str())
	case edged.JSON:
		return edged.JSONValue(d.str())
	case edged.Bytes:
		return edged.BytesValue(d.str())
	}
	d.fail()
	return edged.Value{}
}

func (d *Reader) fail() {
	if d.Err == nil {
		d.Err = errShort
	}
	d.B = nil
}

func (d *Reader) take(n uint64) []byte {
	if n > uint64(len(d.B)) {
		d.fail()
		return nil
	}
	p := d.B[:n]
	d.B = d.B[n:]
	return p
}

func (d *Reader) byte() byte {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *Reader) u64() uint64 {
	if p := d.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (d *Reader) uvarint() uint64 {
	v, n := binary.Uvarint(d.B)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.B = d.B[n:]
	return v
}

func (d *Reader) count() int {
	n := d.uvarint()
	if n > uint64(len(d.B)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *Reader) str() string { return string(d.take(d.uvarint())) }

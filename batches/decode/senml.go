package decode

import (
	"encoding/base64"

	"edged"
)

// senmlKind is a kind of SenML (RFC 8428): a pack of records, each with a value or a sum a row. Base fields are resolved into the records (section 4.6), with one
// difference: a record of base fields only is no row, also where a base value is in force. Times below 2^28 s count from the arrival of the message (section 4.5.3),
// also the time 0 of records that have none. The alphabet of names (section 4.5.1) is not enforced.
func senmlKind(parse func() senmlParser) Kind {
	return Kind{
		Columns: []Column{
			{"name", edged.Text}, {Value, edged.Absent}, {"unit", edged.Text}, {"time", edged.Time}, {"sum", edged.Number}, {"update", edged.Number},
		},
		Many: true, PayloadName: "payload",
		New: func(paths [][]string) Decoder {
			n := namesOf(paths)
			d := &senmlDecoder{parser: parse()}
			d.resolved = d.resolve
			for i, name := range []string{"name", Value, "unit", "time", "sum", "update"} {
				d.slots[i] = n.slot([]byte(name))
			}
			return d
		},
	}
}

// senmlParser gives the records of a pack, in their order, as they came, until one is refused. Texts in them are valid until the next call. Data are bytes.
type senmlParser interface {
	parse(payload []byte, record func(*senmlFields) error) error
}

// senmlRecord is a resolved one.
type senmlRecord struct {
	name, unit  string
	value       edged.Value
	time        int64 // ns
	sum, update edged.Value
}

type senmlDecoder struct {
	parser   senmlParser
	resolved func(*senmlFields) error // resolve, made once
	slots    [6]int
	arrived  int64
	records  []senmlRecord
	at       int    // the record that was read last
	texts    []byte // names of the records
	shown    []byte
	base     senmlBase
}

// Arrived implements Dated.
func (d *senmlDecoder) Arrived(at int64) { d.arrived = at }

// Decode implements Decoder.
func (d *senmlDecoder) Decode(payload []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	d.texts, d.at, d.base = emptied(d.texts), 0, senmlBase{}
	if cap(d.records) > 256 {
		d.records = nil
	}
	d.records = d.records[:0]
	if err := d.parser.parse(payload, d.resolved); err != nil {
		return 0, err
	}
	if len(d.records) > 0 {
		d.fill(cols)
	}
	return len(d.records), nil
}

// Next implements Decoder.
func (d *senmlDecoder) Next(_ []byte, cols []edged.Value) {
	clearCols(cols)
	if d.at+1 < len(d.records) {
		d.at++
		d.fill(cols)
	}
}

func (d *senmlDecoder) fill(cols []edged.Value) {
	r := &d.records[d.at]
	for i, slot := range d.slots {
		if slot < 0 {
			continue
		}
		switch i {
		case 0:
			cols[slot] = edged.TextValue(r.name)
		case 1:
			cols[slot] = r.value
		case 2:
			if r.unit != "" {
				cols[slot] = edged.TextValue(r.unit)
			}
		case 3:
			cols[slot] = edged.TimeValue(r.time)
		case 4:
			cols[slot] = r.sum
		case 5:
			cols[slot] = r.update
		}
	}
}

// Payload implements Decoder: the resolved record, in the labels of RFC 8428 for JSON.
func (d *senmlDecoder) Payload([]byte) edged.Value {
	if d.at >= len(d.records) {
		return edged.NullValue()
	}
	r := &d.records[d.at]
	b := appendText(append(d.shown[:0], `{"n":`...), r.name)
	if r.unit != "" {
		b = appendText(append(b, `,"u":`...), r.unit)
	}
	b = appendValue(b, r.value)
	if f, ok := r.sum.Float(); ok {
		b = appendNumber(append(b, `,"s":`...), f)
	}
	b = appendSeconds(append(b, `,"t":`...), r.time)
	if f, ok := r.update.Float(); ok {
		b = appendNumber(append(b, `,"ut":`...), f)
	}
	d.shown = append(b, '}')
	return edged.JSONValue(string(d.shown))
}

func appendValue(b []byte, v edged.Value) []byte {
	switch v.Kind() {
	case edged.Null: // a number that is too large
		return append(b, `,"v":null`...)
	case edged.Number:
		f, _ := v.Float()
		return appendNumber(append(b, `,"v":`...), f)
	case edged.Text:
		return appendText(append(b, `,"vs":`...), v.Str())
	case edged.Bool:
		if v.Bool() {
			return append(b, `,"vb":true`...)
		}
		return append(b, `,"vb":false`...)
	case edged.Bytes:
		return append(base64.RawURLEncoding.AppendEncode(append(b, `,"vd":"`...), []byte(v.Str())), '"')
	}
	return b
}

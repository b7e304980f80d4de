package decode

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"edged"
)

// Influx is the kind influx with its default options.
var Influx = influxKind(DefaultInflux())

// The columns that every line has.
const (
	influxMeasurement = "measurement"
	influxTimestamp   = "timestamp"
)

func influxKind(o InfluxOptions) Kind {
	return Kind{
		Columns: []Column{{influxMeasurement, edged.Text}, {influxTimestamp, edged.Time}}, Open: Flat, Many: true, PayloadName: "payload",
		New: func(paths [][]string) Decoder {
			d := &influxDecoder{names: namesOf(paths), unit: influxUnit(o.Precision)}
			d.measurement, d.timestamp = d.names.slot([]byte(influxMeasurement)), d.names.slot([]byte(influxTimestamp))
			delete(d.names, influxMeasurement)
			delete(d.names, influxTimestamp)
			d.lined = lined{p: d, comment: "#", blanks: true}
			return d
		},
	}
}

// influxDecoder reads InfluxDB's line protocol: measurement[,tag=value…] field=value[,field=value…] [timestamp]. Tags are text. Of equal names the last one
// counts. A tag or field that has the name of a fixed column is not shown.
type influxDecoder struct {
	lined
	names                  names // of tags and fields
	measurement, timestamp int
	unit                   int64  // of timestamps, ns
	texts                  []byte // those that are not as they are in the payload
}

func (d *influxDecoder) begin([]byte) (int, error) {
	d.texts = emptied(d.texts)
	return 0, nil
}

var (
	errNoFields      = errors.New("it has no fields: want measurement,tag=value field=value timestamp")
	errNoMeasurement = errors.New("it does not begin with a measurement")
	errTimestamp     = errors.New("the timestamp is not a whole number, or beyond what nanoseconds hold")
)

func (d *influxDecoder) row(b []byte, cols []edged.Value) (at int, err error) {
	at = influxName(b, 0, false)
	if at == 0 {
		return 0, errNoMeasurement
	}
	if cols != nil && d.measurement >= 0 {
		cols[d.measurement] = edged.TextValue(view(d.unescape(b[:at], false)))
	}
	for at < len(b) && b[at] == ',' {
		if at, err = d.tag(b, at+1, cols); err != nil {
			return 0, err
		}
	}
	at = skipBlanks(b, at)
	if atEnd(b[at:]) {
		return 0, errNoFields
	}
	for {
		if at, err = d.field(b, at, cols); err != nil {
			return 0, err
		}
		if at == len(b) || b[at] != ',' {
			break
		}
		at++
	}
	from := skipBlanks(b, at)
	if atEnd(b[from:]) {
		return at, nil
	}
	at = from
	for !atEnd(b[at:]) && b[at] != ' ' {
		at++
	}
	if err = d.time(b[from:at], cols); err == nil && !atEnd(b[skipBlanks(b, at):]) {
		err = errors.New("something follows the timestamp")
	}
	return at, err
}

// tag reads the tag at b[at:].
func (d *influxDecoder) tag(b []byte, at int, cols []edged.Value) (end int, err error) {
	eq := influxName(b, at, true)
	if eq == at || eq == len(b) || b[eq] != '=' {
		return 0, fmt.Errorf("at character %d: want tag=value", at+1)
	}
	end = influxName(b, eq+1, true)
	if end == eq+1 || end < len(b) && b[end] == '=' {
		return 0, fmt.Errorf("the tag %q has no value, or an = in it that is not escaped", clip(b[at:eq]))
	}
	if slot := d.slot(b[at:eq], cols); slot >= 0 {
		cols[slot] = edged.TextValue(view(d.unescape(b[eq+1:end], true)))
	}
	return end, nil
}

// field reads the field at b[at:].
func (d *influxDecoder) field(b []byte, at int, cols []edged.Value) (end int, err error) {
	eq := influxName(b, at, true)
	if eq == at || eq == len(b) || b[eq] != '=' {
		return 0, fmt.Errorf("at character %d: want field=value", at+1)
	}
	end = eq + 1
	var v edged.Value
	if end < len(b) && b[end] == '"' {
		n := quotedLen(b[end:])
		if n < 0 {
			return 0, errOpenQuote
		}
		end += n
	} else {
		for end < len(b) && b[end] != ',' && b[end] != ' ' && b[end] != '\n' && (b[end] != '\r' || !atEnd(b[end:])) {
			end++
		}
		var ok bool
		if v, ok = influxValue(b[eq+1 : end]); !ok {
			return 0, fmt.Errorf("the field %q: %q is no number, boolean or text in quotes", clip(b[at:eq]), clip(b[eq+1:end]))
		}
	}
	if !atEnd(b[end:]) && b[end] != ',' && b[end] != ' ' {
		return 0, errAfterQuote
	}
	if slot := d.slot(b[at:eq], cols); slot >= 0 {
		if b[eq+1] == '"' {
			v = edged.TextValue(d.unquote(b[eq+2 : end-1]))
		}
		cols[slot] = v
	}
	return end, nil
}

// slot returns the slot of a name as it is written, or -1.
func (d *influxDecoder) slot(name []byte, cols []edged.Value) int {
	if cols == nil || len(d.names) == 0 {
		return -1
	}
	return d.names.slot(d.unescape(name, true))
}

func (d *influxDecoder) time(b []byte, cols []edged.Value) error {
	n, err := strconv.ParseInt(view(b), 10, 64)
	if err != nil || n > math.MaxInt64/d.unit || n < math.MinInt64/d.unit {
		return errTimestamp
	}
	if cols != nil && d.timestamp >= 0 {
		cols[d.timestamp] = edged.TimeValue(n * d.unit)
	}
	return nil
}

// influxValue reads a field's value that is no text: a float, an integer 5i, an unsigned one 5u, or a boolean.
func influxValue(b []byte) (v edged.Value, ok bool) {
	switch string(b) {
	case "t", "T", "true", "True", "TRUE":
		return edged.BoolValue(true), true
	case "f", "F", "false", "False", "FALSE":
		return edged.BoolValue(false), true
	case "":
		return v, false
	}
	switch whole := view(b[:len(b)-1]); b[len(b)-1] {
	case 'i':
		n, err := strconv.ParseInt(whole, 10, 64)
		return edged.NumberValue(float64(n)), err == nil
	case 'u':
		n, err := strconv.ParseUint(whole, 10, 64)
		return edged.NumberValue(float64(n)), err == nil
	}
	if v, ok = decimal(b); v.Missing() {
		return v, false // a float that is too large
	}
	return v, ok
}

// influxName is where the name or tag value ends that begins at b[at:]: at a comma or a blank that is not escaped (and at an = in tags and fields), or with the line.
func influxName(b []byte, at int, equals bool) int {
	for ; at < len(b); at++ {
		switch c := b[at]; {
		case c > '=' && c != '\\': // most are
		case (c == '\n' || c == '\r') && atEnd(b[at:]):
			return at
		case c == '\\' && at+1 < len(b) && isEscaped(b[at+1], equals):
			at++
		case c == ',' || c == ' ' || c == '=' && equals:
			return at
		}
	}
	return at
}

// isEscaped reports whether a backslash before c makes it a part of the name. Before any other character it stands for itself.
func isEscaped(c byte, equals bool) bool { return c == ',' || c == ' ' || c == '=' && equals }

func (d *influxDecoder) unescape(name []byte, equals bool) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	from := len(d.texts)
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+1 < len(name) && isEscaped(name[i+1], equals) {
			i++
		}
		d.texts = append(d.texts, name[i])
	}
	return d.texts[from:]
}

// unquote takes the backslashes out of a text, in which they stand before quotes and backslashes.
func (d *influxDecoder) unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return view(text)
	}
	from := len(d.texts)
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\') {
			i++
		}
		d.texts = append(d.texts, text[i])
	}
	return view(d.texts[from:])
}

func skipBlanks(b []byte, at int) int {
	for at < len(b) && b[at] == ' ' {
		at++
	}
	return at
}

package decode

import (
	"bytes"
	"fmt"
	"strconv"

	"edged"
)

// Number is the kind number: the payload is one decimal number, and the column "value". nan and inf, which sensors send
// when they have no reading, are null.
var Number = Kind{
	Columns: []Column{{Value, edged.Number}}, PayloadName: "payload",
	New: func(paths [][]string) Decoder { return &numberDecoder{at: indexOf(paths, Value)} },
}

type numberDecoder struct {
	single
	at   int
	last edged.Value
}

// Decode implements Decoder.
func (d *numberDecoder) Decode(payload []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	v, ok := decimal(payload) // mostly there is nothing around it
	if !ok {
		var err error
		if v, err = parseNumber(bytes.TrimSpace(payload)); err != nil {
			return 0, err
		}
	}
	d.last = v
	if d.at >= 0 {
		cols[d.at] = v
	}
	return 1, nil
}

func parseNumber(b []byte) (edged.Value, error) {
	if f, ok := shortDecimal(b); ok {
		return edged.NumberValue(f), nil
	}
	for _, c := range bytes.TrimLeft(b, "+-") {
		switch {
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
			continue
		}
		switch string(bytes.ToLower(bytes.TrimLeft(b, "+-"))) {
		case "nan", "inf", "infinity":
			return edged.NullValue(), nil
		}
		return edged.Value{}, fmt.Errorf("%q is not a number", clip(b))
	}
	f, err := strconv.ParseFloat(view(b), 64)
	if err != nil && f == 0 { // out of range gives ±Inf, which becomes null
		return edged.Value{}, fmt.Errorf("%q is not a number", clip(b))
	}
	return edged.NumberValue(f), nil
}

func clip(b []byte) []byte { return b[:min(len(b), 40)] }

// Payload implements Decoder.
func (d *numberDecoder) Payload([]byte) edged.Value { return d.last }

// indexOf returns the index of the path that is only this name, or -1.
func indexOf(paths [][]string, name string) int {
	for i, p := range paths {
		if len(p) == 1 && p[0] == name {
			return i
		}
	}
	return -1
}

package influx

import (
	"encoding/json"
	"math"
	"strconv"

	"edged"
	"edged/sinks/encode"
)

// plain gives a JSON scalar, which is how a payload comes, the kind that it would have as a column: number, text, true, null. Other
// JSON, and a number that no float64 holds, stay JSON.
func plain(v edged.Value) edged.Value {
	if v.Kind() != edged.JSON || v.Str() == "" {
		return v
	}
	switch raw := v.Str(); raw[0] {
	case '"':
		var text string
		if json.Unmarshal([]byte(raw), &text) == nil {
			return edged.TextValue(text)
		}
	case 't', 'f':
		return edged.BoolValue(raw[0] == 't')
	case 'n':
		return edged.NullValue()
	case '{', '[':
	default:
		if f, err := strconv.ParseFloat(raw, 64); err == nil && !math.IsInf(f, 0) {
			return edged.NumberValue(f)
		}
	}
	return v
}

// appendField appends a field's value: a number as a float, true or false, everything else as text. v is not missing.
func appendField(dst []byte, v edged.Value, scratch []byte) (out, scratched []byte) {
	switch v.Kind() {
	case edged.Number:
		f, _ := v.Float()
		return strconv.AppendFloat(dst, f, 'g', -1, 64), scratch
	case edged.Bool:
		return strconv.AppendBool(dst, v.Bool()), scratch
	}
	scratch = encode.AppendPlain(scratch[:0], v)
	return appendString(dst, string(scratch)), scratch
}

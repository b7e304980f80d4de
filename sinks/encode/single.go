package encode

import "edged"

// AppendValue appends one value as JSON; a missing one is null.
func AppendValue(dst []byte, v edged.Value) []byte { return appendJSONValue(dst, v) }

// AppendPlain appends what a value looks like without quotes; a missing one is null. The bytes of a text are not changed.
func AppendPlain(dst []byte, v edged.Value) []byte {
	if v.Missing() {
		return append(dst, "null"...)
	}
	return appendPlain(dst, v)
}

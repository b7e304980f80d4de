package rowjson

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"edged"
)

// AppendValue appends one value as JSON; a missing one is null.
func AppendValue(dst []byte, v edged.Value) []byte {
	switch v.Kind() {
	case edged.Absent, edged.Null:
		return append(dst, "null"...)
	case edged.Text:
		return AppendString(dst, v.Str())
	case edged.Time, edged.Bytes:
		return append(appendPlain(append(dst, '"'), v), '"')
	}
	return appendPlain(dst, v)
}

// AppendPlain appends what a value looks like on its own, without quotes: a number as in JSON, a time as RFC 3339, text and JSON as they
// are, bytes in base64; null and absent are null.
func AppendPlain(dst []byte, v edged.Value) []byte {
	if v.Missing() {
		return append(dst, "null"...)
	}
	return appendPlain(dst, v)
}

// appendPlain appends what a value looks like without quotes.
func appendPlain(dst []byte, v edged.Value) []byte {
	switch v.Kind() {
	case edged.Bool:
		return strconv.AppendBool(dst, v.Bool())
	case edged.Number:
		f, _ := v.Float()
		return appendFloat(dst, f)
	case edged.Time:
		return time.Unix(0, v.Nanos()).UTC().AppendFormat(dst, time.RFC3339Nano)
	case edged.Bytes:
		return appendBase64(dst, v.Str())
	}
	return append(dst, v.Str()...)
}

// appendFloat writes a number as encoding/json does, which is as ECMAScript does: the shortest digits that read back as
// the same float64, with an exponent below 1e-6 and from 1e21 on.
func appendFloat(dst []byte, f float64) []byte {
	if abs := math.Abs(f); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // e-09 is written e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// appendBase64 works in steps through a buffer on the stack: a string cannot be given to package base64 without a copy.
func appendBase64(dst []byte, s string) []byte {
	var step [192]byte // a multiple of three: only the last step is padded
	for len(s) > 0 {
		n := copy(step[:], s)
		dst = base64.StdEncoding.AppendEncode(dst, step[:n])
		s = s[n:]
	}
	return dst
}

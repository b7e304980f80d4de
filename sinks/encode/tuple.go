package encode

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"edged"
	"edged/internal/rowjson"
)

// aside are the columns of the gateway's own that say where and when, and no value: a tuple leaves them out.
var aside = []string{"window_start", "window_end", "time", "topic", "epoch", "clock_trusted", "revision", "partial"}

// AppendTuple appends one line a row, the values alone in parentheses: (hello,3), as Spark prints pairs. A window's rows are
// their groups and aggregates, others what they read or selected. There is no quoting, as this is for people; a missing
// value is null, and control characters are escaped, so that no row has two lines or speaks to the terminal.
func AppendTuple(dst []byte, rows *edged.Rows) []byte {
	for i := range rows.Len() {
		dst = append(dst, '(')
		first := true
		for c, cell := range rows.Row(i) {
			if slices.Contains(aside, rows.Names[c]) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendShown(dst, cell)
		}
		dst = append(dst, ')', '\n')
	}
	return dst
}

func appendShown(dst []byte, v edged.Value) []byte {
	switch v.Kind() {
	case edged.Absent, edged.Null:
		return append(dst, "null"...)
	case edged.Text:
	default:
		return rowjson.AppendPlain(dst, v)
	}
	for _, r := range v.Str() { // what is no UTF-8 becomes U+FFFD
		switch {
		case r < ' ' && r != 0:
			dst = rowjson.AppendEscape(dst, byte(r))
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			dst = append(dst, '\\', 'u', rowjson.Hex[r>>12&0xf], rowjson.Hex[r>>8&0xf], rowjson.Hex[r>>4&0xf], rowjson.Hex[r&0xf])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

package encode

import (
	"strings"

	"edged"
	"edged/internal/rowjson"
)

// AppendCSVHeader appends the header line: stream, then the names.
func AppendCSVHeader(dst []byte, names []string) []byte {
	dst = append(dst, "stream"...)
	for _, name := range names {
		dst = appendField(append(dst, ','), name)
	}
	return append(dst, '\n')
}

// AppendCSV appends the rows, one record each, without a header.
func AppendCSV(dst []byte, rows *edged.Rows) []byte {
	for i := range rows.Len() {
		dst = AppendCSVRow(dst, rows, i)
	}
	return dst
}

// AppendCSVRow appends row i as one record (RFC 4180, with LF as the line break, as Unix tools expect it). Absent and
// null cells are empty; an empty text is "", which readers that know the difference tell apart.
func AppendCSVRow(dst []byte, rows *edged.Rows, i int) []byte {
	dst = appendField(dst, rows.Stream)
	for _, cell := range rows.Row(i) {
		dst = append(dst, ',')
		switch cell.Kind() {
		case edged.Absent, edged.Null:
		case edged.Text, edged.JSON:
			dst = appendField(dst, cell.Str())
		default:
			dst = rowjson.AppendPlain(dst, cell)
		}
	}
	return append(dst, '\n')
}

func appendField(dst []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return append(append(dst, s...), '"')
		}
		dst = append(append(dst, s[:i]...), `""`...)
		s = s[i+1:]
	}
}

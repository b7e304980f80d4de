package influx

import (
	"strings"
	"unicode/utf8"
)

// What must be escaped with a backslash, by where it stands (InfluxDB line protocol, special characters).
const (
	inMeasurement = ", "
	inKey         = ",= " // tag keys, tag values and field keys
)

// appendEscaped appends a measurement, a key or a tag's value. The protocol has no way to say some things: a line break becomes a space, and a
// backslash that would be taken for the beginning of an escape, or that stands at the end, becomes _, and what is not UTF-8 U+FFFD.
func appendEscaped(dst []byte, s, special string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		case c == '\n' || c == '\r':
			dst = append(dst, '\\', ' ')
		case c == '\\' && (i+1 == len(s) || strings.IndexByte(inKey+"\\\"\n\r", s[i+1]) >= 0):
			dst = append(dst, '_')
		case strings.IndexByte(special, c) >= 0:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
		i++
	}
	return dst
}

// appendString appends a field's text. Line breaks stand in it as they are.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
		i++
	}
	return append(dst, '"')
}

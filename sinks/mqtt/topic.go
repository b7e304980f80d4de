package mqtt

import (
	"unicode"
	"unicode/utf8"

	"edged"
	"edged/sinks/encode"
)

// filler fills a topic. It implements template.Filled.
type filler struct{ text []byte }

// AppendLiteral implements template.Filled.
func (*filler) AppendLiteral(dst []byte, text string) []byte { return append(dst, text...) }

// AppendValue appends a value as one level or several of a topic name: wildcards, control characters (MQTT 5, 1.5.4) and what is not UTF-8
// become _, and so does an empty level.
func (f *filler) AppendValue(dst []byte, v edged.Value) []byte {
	f.text = encode.AppendPlain(f.text[:0], v)
	level := 0 // bytes of it so far
	for rest := f.text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == '/':
			if level == 0 {
				dst = append(dst, '_')
			}
			dst = append(dst, '/')
			level = -1
		case r == '+' || r == '#' || unicode.IsControl(r) || r == utf8.RuneError && n == 1:
			dst = append(dst, '_')
		default:
			dst = append(dst, rest[:n]...)
		}
		rest = rest[n:]
		level++
	}
	if level == 0 {
		dst = append(dst, '_')
	}
	return dst
}

package rowjson

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"
)

// Hex are the digits of escapes.
const Hex = "0123456789abcdef"

// AppendString appends s as a JSON string (RFC 8259, section 7), byte for byte as encoding/json does without HTML
// escaping: U+2028 and U+2029 are escaped, because many readers take them for line ends, and each byte that is not UTF-8
// becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	dst = append(dst, '"')
	from := 0 // s[from:i] needs no escape
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = AppendEscape(append(dst, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(append(dst, s[from:i]...), `\ufffd`...)
			from = i + n
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[from:i]...), `\u202`...)
			dst = append(dst, Hex[r&0xf])
			from = i + n
		}
		i += n
	}
	return append(append(dst, s[from:]...), '"')
}

// isPlain reports whether all of s is ASCII that stands for itself, which is so of nearly every text that comes from a sensor.
func isPlain(s string) bool {
	b, n := unsafe.Slice(unsafe.StringData(s), len(s)), len(s)
	if n < 8 {
		for _, c := range b {
			if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
				return false
			}
		}
		return true
	}
	i := 0
	for ; i < n-8; i += 8 {
		if special(binary.LittleEndian.Uint64(b[i:])) != 0 {
			return false
		}
	}
	return special(binary.LittleEndian.Uint64(b[n-8:])) == 0 // with some of those before
}

// Eight bytes at a time.
const ones, highs = 0x0101010101010101, 0x8080808080808080

// special is 0 if none of eight bytes needs an escape or is more than ASCII.
func special(x uint64) uint64 {
	quote, stroke := x^ones*'"', x^ones*'\\'
	return (x | (x-ones*' ')&^x | (quote-ones)&^quote | (stroke-ones)&^stroke) & highs
}

// AppendEscape appends a control character, a quote or a backslash.
func AppendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', Hex[c>>4], Hex[c&0xf])
}

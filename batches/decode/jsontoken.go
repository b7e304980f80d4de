package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// The tokens of JSON (RFC 8259). An end is where a token ends in b, or -1 if it is not valid.

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skipSpace returns where what is not blank begins, from i on.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && isSpace(b[i]) { // most often it is none, which the first comparison says
		i++
	}
	return i
}

// jsonString passes a string that begins at i, with its quotes. Most strings are short names: only behind those is it gone faster than byte by byte.
func jsonString(b []byte, i int) (end int, escaped bool) {
	const short = 16
	from, long := i+1, i+short
	seen := byte(0) // of all bytes, the bits that are set in any: whether there is more than ASCII
	for i++; i < len(b); i++ {
		c := b[i]
		seen |= c
		if !special[c] {
			if i >= long {
				n, bits := plain(b[i+1:])
				i, seen = i+n, seen|bits
				long = i + short // there may be stroke after stroke
			}
			continue
		}
		switch {
		case c == '"':
			if seen >= utf8.RuneSelf && !utf8.Valid(b[from:i]) {
				return -1, escaped
			}
			return i + 1, escaped
		case c < 0x20:
			return -1, escaped
		}
		escaped = true
		if i++; i >= len(b) {
			return -1, escaped
		}
		switch b[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			if _, ok := hex4(b[i+1:]); !ok {
				return -1, escaped
			}
			i += 4
		default:
			return -1, escaped
		}
	}
	return -1, escaped
}

// Eight bytes at a time.
const ones, highs = 0x0101010101010101, 0x8080808080808080

// special are the bytes that do not stand for themselves in a string: a quote, a stroke, the control characters.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// plain returns how many of the first bytes of b stand for themselves in a string, in eights: there may be some more before a special one. The high bit of
// seen is set if there is more than ASCII among them.
func plain(b []byte) (n int, seen byte) {
	all := uint64(0)
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b)
		quote, stroke := x^ones*'"', x^ones*'\\'
		// The high bit of each byte that is zero, or below 0x20; above the first one others may be set, too.
		if found := ((quote-ones)&^quote | (stroke-ones)&^stroke | (x-ones*0x20)&^x) & highs; found != 0 {
			break
		}
		all |= x
		n += 8
	}
	if all&highs != 0 {
		seen = utf8.RuneSelf
	}
	return n, seen
}

// jsonNumber passes a number that begins at i.
func jsonNumber(b []byte, i int) (end int) {
	if s, ok := shortNumber(b, i); ok {
		return i + int(s.end)
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	if i = skipDigits(b, i); i == first || b[first] == '0' && i > first+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		from := i + 1
		if i = skipDigits(b, from); i == from {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		if i = skipDigits(b, from); i == from {
			return -1
		}
	}
	return i
}

// short is a number of at most seven characters, as most are, that has neither a sign nor an exponent.
type short struct {
	digits     uint64 // their values, the first one in the lowest byte; what is above point is behind the point
	point, end uint8  // where the point is, or would be, and where the number ends
}

// shortNumber looks at the eight bytes at i. It guesses nothing: which digits a number has, and how many, changes from payload to payload. It reports
// false of any other number, and of what is none.
func shortNumber(b []byte, i int) (s short, ok bool) {
	if !wide || len(b)-i < 8 {
		return s, false
	}
	x := binary.LittleEndian.Uint64(b[i:]) ^ ones*'0'
	other := (x&^highs + ones*(0x80-10) | x) & highs               // the high bit of each byte that is no digit
	if other == 0 || other&0x80 != 0 || x&0xff|other&0x8000 == 0 { // too long; not a digit; a digit behind a 0
		return s, false
	}
	s.point = uint8(bits.TrailingZeros64(other)) / 8
	s.digits, s.end = x, s.point
	c := byte(x >> (8 * s.point))
	if c == '.'^'0' {
		other &= other - 1
		s.end = uint8(bits.TrailingZeros64(other)) / 8 // 8 if there is none
		if other == 0 || s.end == s.point+1 {
			return s, false
		}
		c = byte(x >> (8 * s.end))
	}
	return s, c|0x20 != 'E'^'0'
}

// value is what it says: the digits are a whole number, and one division by a power of ten rounds as it should.
func (s short) value() float64 {
	whole := uint64(1)<<(8*s.point) - 1
	x, n := s.digits&whole, s.point
	if s.end > s.point {
		x |= s.digits >> 8 & ^whole // the point is left out
		n = s.end - 1
	}
	x <<= 8 * (8 - n) // zeros in front
	x = (x*10 + x>>8) & 0x00ff00ff00ff00ff
	x = (x*100 + x>>16) & 0x0000ffff0000ffff
	x = (x*10_000 + x>>32) & 0xffffffff
	f := float64(x)
	if behind := n - s.point; behind > 0 {
		f /= tens[behind]
	}
	return f
}

// skipDigits returns where the digits from i on end. How many there are changes from payload to payload: to find their end in one go costs less than
// to guess wrong at one of them.
func skipDigits(b []byte, i int) int {
	for wide && len(b)-i >= 8 {
		x := binary.LittleEndian.Uint64(b[i:]) ^ ones*'0'
		if found := (x + ones*(0x80-10) | x) & highs; found != 0 { // the high bit of each byte above 9, and perhaps of some behind the first one
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// hex4 is the number that four hexadecimal digits at the beginning of b say.
func hex4(b []byte) (x rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		x = x<<4 | rune(c)
	}
	return x, true
}

// appendUnescaped appends what a valid string says, given without its quotes. Half of a surrogate pair that stands alone, which is no
// character, stays as it is written; two that do not go together are one replacement character.
func appendUnescaped(to, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			to = append(to, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case 'b':
			to = append(to, '\b')
		case 'f':
			to = append(to, '\f')
		case 'n':
			to = append(to, '\n')
		case 'r':
			to = append(to, '\r')
		case 't':
			to = append(to, '\t')
		case 'u':
			x, _ := hex4(raw[i+1:])
			i += 4
			if !utf16.IsSurrogate(x) {
				to = utf8.AppendRune(to, x)
			} else if len(raw)-i > 6 && raw[i+1] == '\\' && raw[i+2] == 'u' {
				y, _ := hex4(raw[i+3:])
				to = utf8.AppendRune(to, utf16.DecodeRune(x, y))
				i += 6
			} else {
				to = append(to, raw[i-5:i+1]...)
			}
		default: // a quote, a stroke
			to = append(to, c)
		}
	}
	return to
}

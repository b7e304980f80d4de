package decode

import (
	"math"
	"strconv"
)

// appendText appends a valid UTF-8 text as a JSON string (RFC 8259, section 7).
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendNumber appends a number as JSON has it; null for what JSON cannot say.
func appendNumber(b []byte, f float64) []byte {
	switch a := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(b, "null"...)
	case a != 0 && (a < 1e-6 || a >= 1e21):
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// appendSeconds appends a time in nanoseconds as seconds, without losing any.
func appendSeconds(b []byte, ns int64) []byte {
	if ns < 0 {
		b = append(b, '-')
	}
	whole, part := ns/1e9, ns%1e9
	b = strconv.AppendUint(b, uint64(max(whole, -whole)), 10)
	if part == 0 {
		return b
	}
	digits := strconv.AppendUint(nil, uint64(max(part, -part))+1e9, 10) // 1 and nine digits
	digits[0] = '.'
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return append(b, digits...)
}

package decode

import (
	"bytes"
	"strconv"
	"unsafe"

	"edged"
)

// FromText is the value that a text says without doubt: a number, a boolean or null, or the text itself if it says none.
func FromText(s string) edged.Value {
	return scalar(bytes.TrimSpace(unsafe.Slice(unsafe.StringData(s), len(s))))
}

// scalar is the value of a text that does not say its type: a decimal number, true or false, and what nan, inf and nothing at all stand for: null.
// Any other is text, which shares the memory of b.
func scalar(b []byte) edged.Value {
	if len(b) == 0 {
		return edged.NullValue()
	}
	if v, ok := decimal(b); ok {
		return v
	}
	switch string(b) {
	case "true", "True", "TRUE":
		return edged.BoolValue(true)
	case "false", "False", "FALSE":
		return edged.BoolValue(false)
	}
	if notANumber(b) {
		return edged.NullValue()
	}
	return edged.TextValue(view(b))
}

// decimal reads a decimal number: what strconv does, without an allocation for what is none. One that is too large is null.
func decimal(b []byte) (edged.Value, bool) {
	if f, ok := shortDecimal(b); ok {
		return edged.NumberValue(f), true
	}
	if !isDecimal(b) {
		return edged.Value{}, false
	}
	f, _ := strconv.ParseFloat(view(b), 64) // ±Inf becomes null
	return edged.NumberValue(f), true
}

// isDecimal reports whether b is [+-] digits [. digits] [e [+-] digits], with at least one digit before the e.
func isDecimal(b []byte) bool {
	i, some := 0, false
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		i++
	}
	for dot := false; i < len(b); i++ {
		if b[i] == '.' && !dot {
			dot = true
		} else if b[i] >= '0' && b[i] <= '9' {
			some = true
		} else {
			break
		}
	}
	if !some || i == len(b) {
		return some
	}
	if b[i] != 'e' && b[i] != 'E' {
		return false
	}
	if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	return isDigits(b[i:])
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// notANumber reports whether b is what sensors send that have no reading: nan, inf or infinity in any case, with or without a sign.
func notANumber(b []byte) bool {
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		b = b[1:]
	}
	if len(b) != 3 && len(b) != 8 {
		return false
	}
	for _, word := range []string{"nan", "inf", "infinity"} {
		if len(b) == len(word) && equalFold(b, word) {
			return true
		}
	}
	return false
}

// equalFold compares with a word of small letters.
func equalFold(b []byte, word string) bool {
	for i, c := range b {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

// shortDecimal reads [+-] digits [. digits] of at most fifteen digits, which is what sensors send: the digits are a whole number that a float holds, so is
// the power of ten that divides it, and one division rounds correctly. It reports false of any other.
func shortDecimal(b []byte) (f float64, ok bool) {
	i, negative := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i, negative = 1, b[0] == '-'
	}
	if len(b)-i > 16 {
		return 0, false
	}
	whole, digits, behind := uint64(0), 0, -1
	for ; i < len(b); i++ {
		switch c := b[i] - '0'; {
		case c <= 9:
			whole = whole*10 + uint64(c)
			digits++
			if behind >= 0 {
				behind++
			}
		case b[i] == '.' && behind < 0:
			behind = 0
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	f = float64(whole)
	if behind > 0 {
		f /= tens[behind]
	}
	if negative {
		f = -f
	}
	return f, true
}

// tens are the powers of ten; a float holds each exactly.
var tens = [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

package decode

import (
	"strconv"

	"edged"
)

// scalar passes what begins at i and is neither an object nor an array, and puts it into these slots.
func (s *jsonScan) scalar(i int, slots []int) (end int) {
	switch s.b[i] {
	case '"':
		end, escaped := jsonString(s.b, i)
		if len(slots) > 0 && end >= 0 {
			s.set(slots, edged.TextValue(s.text(s.b[i+1:end-1], escaped)))
		}
		return end
	case 't':
		return s.word(i, "true", slots, edged.BoolValue(true))
	case 'f':
		return s.word(i, "false", slots, edged.BoolValue(false))
	case 'n':
		return s.word(i, "null", slots, edged.NullValue())
	}
	if len(slots) == 0 {
		return jsonNumber(s.b, i)
	}
	return s.number(i, slots)
}

func (s *jsonScan) word(i int, word string, slots []int, v edged.Value) int {
	if len(s.b)-i < len(word) || string(s.b[i:i+len(word)]) != word {
		return -1
	}
	s.set(slots, v)
	return i + len(word)
}

// text is what a valid string says, given without its quotes.
func (s *jsonScan) text(raw []byte, escaped bool) string {
	if !escaped {
		return view(raw)
	}
	from := len(s.texts)
	s.texts = appendUnescaped(s.texts, raw)
	return view(s.texts[from:])
}

// number passes a number that begins at i. One that is too large is null. One of up to fifteen digits without an exponent, which is what sensors
// send, is read on the way, as shortDecimal does it.
func (s *jsonScan) number(i int, slots []int) (end int) {
	b, from := s.b, i
	if n, ok := shortNumber(b, i); ok {
		s.set(slots, edged.NumberValue(n.value()))
		return i + int(n.end)
	}
	if b[i] == '-' {
		i++
	}
	whole, first, behind := uint64(0), i, 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		whole = whole*10 + uint64(b[i]-'0')
	}
	digits := i - first
	if digits == 0 || digits > 1 && b[first] == '0' {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		point := i
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			whole = whole*10 + uint64(b[i]-'0')
		}
		if behind = i - point - 1; behind == 0 {
			return -1
		}
	}
	if digits+behind > 15 || i < len(b) && b[i]|0x20 == 'e' {
		if i = jsonNumber(b, from); i >= 0 {
			f, _ := strconv.ParseFloat(view(b[from:i]), 64) // out of range gives ±Inf, which is null
			s.set(slots, edged.NumberValue(f))
		}
		return i
	}
	f := float64(whole)
	if behind > 0 {
		f /= tens[behind]
	}
	if b[from] == '-' {
		f = -f
	}
	s.set(slots, edged.NumberValue(f))
	return i
}

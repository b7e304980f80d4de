package rowjson

import (
	"bytes"
	"time"
)

// stamp writes times byte for byte as time.RFC3339Nano does. Rows that follow each other are often of one moment, what came together, and else of one
// second: the text of both is kept. The zero value is ready.
type stamp struct {
	ns     int64
	second int64
	n      int // of text, what says ns; 0: nothing is known
	text   [len(time.RFC3339Nano)]byte
}

const toSecond = "2006-01-02T15:04:05" // years have four digits in what nanoseconds can say

// append appends a time in nanoseconds since 1970.
func (s *stamp) append(dst []byte, ns int64) []byte {
	if ns != s.ns || s.n == 0 {
		s.set(ns)
	}
	return append(dst, s.text[:s.n]...)
}

func (s *stamp) set(ns int64) {
	second, part := ns/1e9, ns%1e9
	if part < 0 {
		second, part = second-1, part+1e9
	}
	if second != s.second || s.n == 0 {
		time.Unix(second, 0).UTC().AppendFormat(s.text[:0], toSecond)
	}
	s.ns, s.second = ns, second
	text := s.text[:len(toSecond)]
	if part > 0 {
		digits, rest := [...]byte{'.', 9: '0'}, uint32(part)
		for i := 9; i > 0; i-- {
			digits[i] = '0' + byte(rest%10)
			rest /= 10
		}
		text = append(text, bytes.TrimRight(digits[:], "0")...)
	}
	s.n = len(append(text, 'Z'))
}

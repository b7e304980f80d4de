package rowjson

import (
	"bytes"
	"time"
)

// stamp writes times byte for byte as time.RFC3339Nano does. Rows that follow each other are often of one second, whose text is kept. The zero value is
// ready.
type stamp struct {
	known  bool
	second int64
	text   [len(toSecond)]byte // of second, if it is known
}

const toSecond = "2006-01-02T15:04:05" // years have four digits in what nanoseconds can say

// append appends a time in nanoseconds since 1970.
func (s *stamp) append(dst []byte, ns int64) []byte {
	second, part := ns/1e9, ns%1e9
	if part < 0 {
		second, part = second-1, part+1e9
	}
	if second != s.second || !s.known {
		s.known, s.second = true, second
		time.Unix(second, 0).UTC().AppendFormat(s.text[:0], toSecond)
	}
	dst = append(dst, s.text[:]...)
	if part > 0 {
		digits, rest := [...]byte{'.', 9: '0'}, uint32(part)
		for i := 9; i > 0; i-- {
			digits[i] = '0' + byte(rest%10)
			rest /= 10
		}
		dst = append(dst, bytes.TrimRight(digits[:], "0")...)
	}
	return append(dst, 'Z')
}

package wear

import (
	"fmt"
	"math/rand/v2"
)

// sensor makes the payloads of a publisher. They are what the load generator sends (test/mqttload): blanks would be packed to nothing.
type sensor struct {
	values *rand.Rand
	number uint64
	bytes  int
	serial string
}

func newSensor(number uint64, bytes int) *sensor {
	s := &sensor{values: rand.New(rand.NewPCG(1, number)), number: number, bytes: bytes}
	for range bytes {
		s.serial += string("0123456789abcdef"[s.values.IntN(16)])
	}
	return s
}

// payload is reading n as JSON, of about so many bytes: a value that varies, and, as far as there is room, a time, a number and who says it; more than 66 bytes are
// filled up with what cannot be packed.
func (s *sensor) payload(n uint64, ms int64) []byte {
	b := fmt.Appendf(nil, `{"value":%.2f`, 20+5*s.values.NormFloat64())
	for _, field := range []string{
		fmt.Sprintf(`,"ts":%d`, ms), fmt.Sprintf(`,"seq":%d`, 10_000_000+977*s.number+n), fmt.Sprintf(`,"conn":%d`, 10+s.number%90), fmt.Sprintf(`,"pin":%d`, s.number%8),
	} {
		if len(b)+len(field) < s.bytes {
			b = append(b, field...)
		}
	}
	if room := s.bytes - len(b) - len(`,"id":""}`); room > 0 {
		b = fmt.Appendf(b, `,"id":"%s"`, s.serial[:room])
	}
	return append(b, '}')
}

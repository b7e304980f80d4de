package main

import (
	"fmt"
	"math/rand/v2"

	"edged"
)

// appendNoise appends n letters that cannot be packed.
func appendNoise(b []byte, n int) []byte {
	for n > 0 {
		for v, k := rand.Uint64(), min(n, 10); k > 0; k-- {
			b = append(b, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[v&63])
			v, n = v>>6, n-1
		}
	}
	return b
}

const (
	devices = 50
	pins    = 8
)

// readings fills a block with what test/mqttload publishes, padded to the length of a row.
func (s *source) readings(b *edged.Block) {
	for d := range devices {
		for p := range pins {
			b.Topics = append(b.Topics, fmt.Sprintf("site/%d/gpio/%d", d+1, p))
		}
	}
	for i := 0; len(b.Data)+s.row <= s.block; i++ {
		n := s.messages + i
		topic := n % (devices * pins)
		begin := len(b.Data)
		b.Data = fmt.Appendf(b.Data, `{"pin":%d,"value":%d.%d,"ts":%d,"seq":%d,"conn":%d`, topic%pins, n%100, n%10, b.Cut.Wall/1e6, n, topic/pins+1)
		if pad := s.row - (len(b.Data) - begin) - len(`,"p":""}`); pad >= 0 {
			b.Data = append(appendNoise(append(b.Data, `,"p":"`...), pad), '"')
		}
		b.Data = append(b.Data, '}')
		b.Topic, b.Arrival, b.Flags = append(b.Topic, uint32(topic)), append(b.Arrival, b.Cut.Wall), append(b.Flags, 1)
		b.End = append(b.End, uint32(len(b.Data)))
	}
}

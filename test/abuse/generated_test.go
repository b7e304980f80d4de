package abuse

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"edged/test/rawmqtt"
)

// truncated are valid packets cut at every position: once with the end of the stream there, once with a length that agrees
// with what is left.
func truncated() (out []bad) {
	for _, v5 := range []bool{false, true} {
		all := append([]sample{{"CONNECT", hello(v5), nil}}, samples(v5)...)
		for i, s := range all {
			stream := bad{name: s.name + " and then the end, at every position", cut: true, free: true, first: i == 0}
			for n := 1; n < len(s.bytes); n++ {
				stream.tries, stream.hint = append(stream.tries, s.bytes[:n]), append(stream.hint, fmt.Sprint("after byte ", n))
			}
			out = append(out, one(v5, stream, stream.tries...)...)
			whole := body(s.bytes)
			short := bad{name: s.name + " shortened, at every position", first: i == 0, codes: "\x8C\x94\x90", free: s.name == "DISCONNECT"}
			for n := range whole {
				if !slices.Contains(s.valid, n) {
					short.tries, short.hint = append(short.tries, pack(s.bytes[0], whole[:n])), append(short.hint, fmt.Sprintf("to %d bytes of %d", n, len(whole)))
				}
			}
			if len(short.tries) > 0 {
				out = append(out, one(v5, short, short.tries...)...)
			}
			grown := bad{name: s.name + " announced shorter and longer than it is", first: i == 0, want: either, cut: true}
			for _, by := range []int{-3, -2, -1, 1, 2, 3, 100} {
				if n := len(whole) + by; n >= 0 && n < 128 {
					grown.tries = append(grown.tries, cat(s.bytes[0:1], n, whole, times(by+3, 0)))
				}
			}
			if !v5 || s.name != "DISCONNECT" {
				out = append(out, one(v5, grown, grown.tries...)...)
			}
		}
	}
	return out
}

// mutated are valid packets with random faults.
func mutated(r *rand.Rand) (out []bad) {
	for _, v5 := range []bool{false, true} {
		all := append([]sample{{"CONNECT", hello(v5), nil}}, samples(v5)...)
		for i, s := range all {
			b := bad{name: s.name + " with random faults", want: either, cut: true, first: i == 0}
			for range some(20, 1000) {
				b.tries = append(b.tries, bend(r, s.bytes))
			}
			out = append(out, one(v5, b, b.tries...)...)
		}
		storm := bad{name: "packets in any order, with random faults", want: either, cut: true}
		for range some(20, 1000) {
			var stream []byte
			for range 1 + r.IntN(20) {
				s := all[1+r.IntN(len(all)-1)].bytes
				if r.IntN(5) == 0 {
					s = bend(r, s)
				}
				stream = append(stream, s...)
			}
			storm.tries = append(storm.tries, stream)
		}
		out = append(out, one(v5, storm, storm.tries...)...)
	}
	return out
}

// bend changes one to four bytes of a packet, or cuts, doubles or fills a part of it. The length is corrected half of the
// time, so that the fault is seen behind the frame too.
func bend(r *rand.Rand, packet []byte) []byte {
	b := slices.Clone(packet)
	if r.IntN(2) == 0 {
		b = slices.Clone(body(packet))
	}
	framed := len(b) != len(packet)
	for range 1 + r.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := r.IntN(len(b))
		switch r.IntN(6) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b[i] = [...]byte{0, 1, 0x7F, 0x80, 0xFF}[r.IntN(5)]
		case 2:
			b[i] = byte(r.Uint32())
		case 3:
			b = slices.Delete(b, i, i+1+r.IntN(min(4, len(b)-i)))
		case 4:
			b = slices.Insert(b, i, b[i:min(len(b), i+1+r.IntN(8))]...)
		case 5:
			b = slices.Insert(b, i, times(1+r.IntN(8), byte(r.Uint32()))...)
		}
	}
	if framed {
		return rawmqtt.Packet(packet[0], b)
	}
	return b
}

package blockstore

import (
	"fmt"
	"testing"

	"edged"
)

// thousand is a block of a thousand readings of 66 bytes, of 400 topics.
func thousand() *edged.Block { return readings(1000, 400) }

func readings(n, topics int) *edged.Block {
	b := &edged.Block{Receiver: "field", Cut: edged.Instant{Wall: 1e18}, Trusted: true}
	for i := range topics {
		b.Topics = append(b.Topics, fmt.Sprintf("site/%d/gpio/%d", i/8+1, i%8))
	}
	for i := range n {
		b.Data = fmt.Appendf(b.Data, `{"pin":%d,"value":%d.5,"ts":1731970000123,"seq":%d,"conn":%02d}`, i%8, i%100, 1234567+i, i%50)
		b.Topic, b.Arrival = append(b.Topic, uint32(i%topics)), append(b.Arrival, b.Cut.Wall-int64(n-i)*2e5)
		b.Flags, b.End = append(b.Flags, 1), append(b.End, uint32(len(b.Data)))
	}
	return b
}

func BenchmarkBlockEncode(b *testing.B) {
	blk := thousand()
	buf := appendBlock(nil, header{seq: 1}, boot{}, blk)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = appendBlock(buf[:0], header{seq: 1}, boot{}, blk)
	}
}

func BenchmarkBlockDecode(b *testing.B) {
	buf := appendBlock(nil, header{seq: 1}, boot{}, thousand())
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeBlock(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBlockPack(b *testing.B) {
	plain := appendUnsealed(nil, header{seq: 1}, boot{}, thousand())
	buf := make([]byte, len(plain))
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		copy(buf, plain)
		n = len(pack(buf))
	}
	b.ReportMetric(float64(n)/float64(len(plain)), "of-it")
}

func BenchmarkBlockUnpack(b *testing.B) {
	v := packedBlock(header{seq: 1}, thousand())
	b.SetBytes(int64(len(appendBlock(nil, header{seq: 1}, boot{}, thousand()))))
	b.ReportAllocs()
	for b.Loop() {
		_, _, buf, err := unpack(v[clearLen : len(v)-4])
		if err != nil {
			b.Fatal(err)
		}
		spares.Put(buf)
	}
}

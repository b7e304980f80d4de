package intake

import (
	"context"
	"testing"

	"edged"
)

// store takes everything and remembers one commit's worth of tokens.
type store struct {
	tokens []uint64
	ack    edged.Acker
}

func (s *store) Take(_ context.Context, _ *edged.Message, ack edged.Acker, token uint64) error {
	s.tokens, s.ack = append(s.tokens, token), ack
	return nil
}

func TestAPublishCostsNoAllocation(t *testing.T) {
	s, r := newIntake(roomy).NewSession("c"), &store{}
	p := connect(s, false)
	x := pub(0, 1, r)
	var buf []byte
	round := func() {
		for id := range uint16(64) {
			x.ID = id + 1
			if err := p.link.Take(x); err != nil {
				t.Fatal(err)
			}
		}
		for _, token := range r.tokens {
			r.ack.Acked(token, edged.Pos{}, nil)
		}
		r.ack.Flush()
		r.tokens = r.tokens[:0]
		buf = p.link.Collect(buf[:0])
		p.link.Written(len(buf))
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Fatalf("%v allocations for 64 publishes", n)
	}
}

func BenchmarkTakeAndAcknowledge(b *testing.B) {
	s, r := newIntake(Limits{Inflight: 100, Pending: 1000, Bytes: 1 << 20, Total: 1 << 30}).NewSession("c"), &store{}
	p := connect(s, false)
	x := pub(0, 1, r)
	var buf []byte
	b.ReportAllocs()
	for i := range b.N {
		x.ID = uint16(i%64 + 1)
		if err := p.link.Take(x); err != nil {
			b.Fatal(err)
		}
		if x.ID == 64 {
			for _, token := range r.tokens {
				r.ack.Acked(token, edged.Pos{}, nil)
			}
			r.ack.Flush()
			r.tokens = r.tokens[:0]
			buf = p.link.Collect(buf[:0])
			p.link.Written(len(buf))
		}
	}
}

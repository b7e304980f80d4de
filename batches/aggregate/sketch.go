package aggregate

import (
	"encoding/binary"
	"math"
)

// accuracy is the relative error of a quantile.
const accuracy = 0.01

// maxBins bounds the bins of one sign: 16 KiB, and at 1 % numbers over 17 orders of magnitude. Past that the smallest
// magnitudes share a bin.
const maxBins = 2048

// sketch counts numbers in bins whose width grows with them (DDSketch: Masson, Rim, Lee, VLDB 2019): any number stands for
// its bin's middle with a relative error of at most accuracy. Sketches join without loss, in any order.
//
// It is written here because the library that has it brings the protobuf runtime along, an eighth of the whole program.
type sketch struct {
	pos, neg bins
	zero     uint64
}

// bins are the counts of one sign: bin lo+i holds the magnitudes in (γ^(lo+i−1), γ^(lo+i)].
type bins struct {
	lo     int
	counts []uint64
	n      uint64
}

var (
	gamma    = (1 + accuracy) / (1 - accuracy)
	logGamma = math.Log(gamma)
)

func (s *sketch) add(x float64) {
	switch {
	case x > 0:
		s.pos.add(binOf(x), 1)
	case x < 0:
		s.neg.add(binOf(-x), 1)
	default:
		s.zero++
	}
}

func binOf(x float64) int { return int(math.Ceil(math.Log(x) / logGamma)) }

// middle is the number that stands for a bin: as far, relatively, from both of its ends.
func middle(bin int) float64 { return 2 * math.Exp(float64(bin)*logGamma) / (gamma + 1) }

func (b *bins) add(bin int, n uint64) {
	b.n += n
	hi := b.lo + len(b.counts) - 1
	switch {
	case len(b.counts) == 0:
		b.lo, b.counts = bin, append(b.counts, n)
		return
	case bin > hi:
		b.counts = append(b.counts, make([]uint64, bin-hi)...)
		if extra := len(b.counts) - maxBins; extra > 0 {
			low := uint64(0)
			for _, c := range b.counts[:extra] {
				low += c
			}
			b.counts = append(b.counts[:0], b.counts[extra:]...)
			b.counts[0] += low
			b.lo += extra
		}
	case bin < b.lo && hi-bin >= maxBins:
		bin = hi - maxBins + 1
		fallthrough
	case bin < b.lo:
		if bin < b.lo {
			b.counts = append(make([]uint64, b.lo-bin, hi-bin+1), b.counts...)
			b.lo = bin
		}
	}
	b.counts[bin-b.lo] += n
}

func (s *sketch) merge(o *sketch) {
	s.zero += o.zero
	for i, n := range o.pos.counts {
		s.pos.addIf(o.pos.lo+i, n)
	}
	for i, n := range o.neg.counts {
		s.neg.addIf(o.neg.lo+i, n)
	}
}

func (b *bins) addIf(bin int, n uint64) {
	if n > 0 {
		b.add(bin, n)
	}
}

func (s *sketch) count() uint64 { return s.pos.n + s.neg.n + s.zero }

// quantile is the number at rank q·(count−1), counted from 0.
func (s *sketch) quantile(q float64) float64 {
	rank := uint64(q * float64(s.count()-1))
	if rank < s.neg.n { // the largest magnitude comes first
		for i := len(s.neg.counts) - 1; i >= 0; i-- {
			if rank < s.neg.counts[i] {
				return -middle(s.neg.lo + i)
			}
			rank -= s.neg.counts[i]
		}
	}
	if rank -= s.neg.n; rank < s.zero {
		return 0
	}
	rank -= s.zero
	for i, n := range s.pos.counts {
		if rank < n {
			return middle(s.pos.lo + i)
		}
		rank -= n
	}
	return 0
}

func (s *sketch) append(b []byte) []byte {
	b = binary.AppendUvarint(b, s.zero)
	for _, bs := range []*bins{&s.pos, &s.neg} {
		b = binary.AppendVarint(b, int64(bs.lo))
		b = binary.AppendUvarint(b, uint64(len(bs.counts)))
		for _, n := range bs.counts {
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

func (s *sketch) read(b []byte) error {
	*s = sketch{}
	var ok bool
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		if ok = n > 0; !ok {
			b = nil
			return 0
		}
		b = b[n:]
		return v
	}
	s.zero = uvarint()
	for _, bs := range []*bins{&s.pos, &s.neg} {
		lo, n := binary.Varint(b)
		if n <= 0 || lo < -1<<20 || lo > 1<<20 {
			return errState
		}
		b, bs.lo = b[n:], int(lo)
		size := uvarint()
		if size > maxBins {
			return errState
		}
		for range size {
			c := uvarint()
			bs.counts, bs.n = append(bs.counts, c), bs.n+c
		}
	}
	if !ok || len(b) > 0 {
		return errState
	}
	return nil
}

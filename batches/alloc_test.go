package batches

import "testing"

// A row that finds its group costs no memory, from the block to the accumulators. (A window that closes does, for each of its groups.)
func TestARowCostsNoMemory(t *testing.T) {
	for _, x := range benchedStreams() {
		s, r := x.start(t)
		r.still = true
		for range 2 * benchBlocks {
			r.once(t, s)
		}
		before := s.rec.Applied
		n := testing.AllocsPerRun(benchBlocks, func() { r.once(t, s) })
		if got := s.rec.Applied - before; got != (benchBlocks+1)*benchMessages {
			t.Errorf("%s: %d rows were applied: %+v", x.name, got, s.rec.Counts)
		}
		if n > 0 {
			t.Errorf("%s: %v allocations a block of %d messages", x.name, n, benchMessages)
		}
	}
}

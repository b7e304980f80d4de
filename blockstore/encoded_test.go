package blockstore

import (
	"bytes"
	"edged/internal/lately"
	"testing"
)

func (e *encoded) held() (bytes int) {
	for _, c := range e.chunks {
		bytes += cap(c)
	}
	return bytes
}

// What is encoded for one transaction stays as it is until the next one begins.
func TestBlocksOfATransactionAreEncodedApart(t *testing.T) {
	var e encoded
	for round, sizes := range [][]int{{100, 1 << 20, 10}, {50, 60, 70}, {1 << 20}, {10}, {}, {chunkBytes, 1, chunkBytes - 1, 2}} {
		e.begin()
		var all [][]byte
		for i, n := range sizes {
			all = append(all, append(e.room(n), bytes.Repeat([]byte{byte(i)}, n)...))
		}
		for i, b := range all {
			if len(b) != sizes[i] || bytes.Count(b, []byte{byte(i)}) != len(b) {
				t.Fatalf("round %d: value %d was written over", round, i)
			}
		}
	}
}

// The memory of large transactions is used again, whatever small ones stand between them, and given back when they are over.
func TestMemoryOfLargeTransactionsIsUsedAgain(t *testing.T) {
	var e encoded
	round := func(sizes ...int) {
		e.begin()
		for _, n := range sizes {
			_ = append(e.room(n), 1)
		}
	}
	for range 2 * lately.Rounds {
		round(1<<20, 100_000, 300_000)
		round(50)
	}
	if n := testing.AllocsPerRun(10, func() { round(1<<20, 300_000, 100_000); round(7) }); n > 0 {
		t.Errorf("%v allocations for a transaction like the last one", n)
	}
	if most := 2*(1<<20+400_000) + chunkBytes; e.held() > most {
		t.Errorf("%d bytes are held, not %d at most", e.held(), most)
	}
	for range 2*lately.Rounds + 1 {
		round(100)
	}
	if e.held() > chunkBytes {
		t.Errorf("%d bytes are held after the burst", e.held())
	}
}

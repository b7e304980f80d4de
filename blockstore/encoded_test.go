package blockstore

import (
	"bytes"
	"testing"
)

// What is encoded for one transaction stays as it is until the next one begins; the memory of a burst is given back.
func TestBlocksOfATransactionAreEncodedApart(t *testing.T) {
	var e encoded
	for round, sizes := range [][]int{{100, 1 << 20, 10}, {50, 60, 70}, {1 << 20}, {10}, {}} {
		e.begin()
		var all [][]byte
		for i, n := range sizes {
			all = append(all, append(e.room(n), bytes.Repeat([]byte{byte(i)}, n)...))
		}
		held := 0
		for i, b := range all {
			if len(b) != sizes[i] || bytes.Count(b, []byte{byte(i)}) != len(b) {
				t.Fatalf("round %d: value %d was written over", round, i)
			}
			held += cap(e.buffers[i])
		}
		if round != 2 && round != 0 && held > 3*(4*70+16<<10) {
			t.Fatalf("round %d: %d bytes are held", round, held)
		}
	}
	if e.begin(); len(e.buffers) > 0 {
		t.Fatalf("%d buffers are held for nothing", len(e.buffers))
	}
}

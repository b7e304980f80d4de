package blockstore

// encoded is the memory in which the blocks of a transaction are encoded. The library refers to it until the transaction has ended, and copies
// it into pages when it commits; the next transaction encodes in it again.
type encoded struct {
	buffers [][]byte
	used    int
}

// begin is called when the transaction before has ended. What that did not need is given back.
func (e *encoded) begin() {
	clear(e.buffers[e.used:])
	e.buffers, e.used = e.buffers[:e.used], 0
}

// room returns an empty slice with room for n bytes, good until begin. A buffer that is much larger than what is needed was for a burst.
func (e *encoded) room(n int) []byte {
	if e.used == len(e.buffers) {
		e.buffers = append(e.buffers, nil)
	}
	b := &e.buffers[e.used]
	e.used++
	if cap(*b) < n || cap(*b) > 4*n+16<<10 {
		*b = make([]byte, 0, n)
	}
	return (*b)[:0]
}

package blockstore

import (
	"slices"

	"edged/internal/lately"
)

// encoded is the memory in which the blocks of a transaction are encoded. The library refers to it until the transaction has ended, and copies
// it into pages when it commits; the next transaction encodes in it again.
type encoded struct {
	chunks []chunk
	latest lately.Most // bytes that a round has needed
	needed int         // by this one
}

// chunk is memory for one block or more; its length is what of it is in use.
type chunk []byte

const chunkBytes = 256 << 10 // of memory, and of address space: a small block touches no more of it than it needs

// begin is called when the transaction before has ended. What it needed in several chunks the next one has in one, whatever its blocks' sizes; what the
// latest ones did not need is given back.
func (e *encoded) begin() {
	most, over := e.latest.Note(e.needed)
	if len(e.chunks) > 1 || over && len(e.chunks) > 0 && cap(e.chunks[0]) > 2*most+chunkBytes {
		e.chunks = append(e.chunks[:0:0], make(chunk, 0, most))
	}
	for i, c := range e.chunks {
		e.chunks[i] = c[:0]
	}
	e.needed = 0
}

// room returns an empty slice with room for n bytes, good until begin.
func (e *encoded) room(n int) []byte {
	e.needed += n
	i := slices.IndexFunc(e.chunks, func(c chunk) bool { return cap(c)-len(c) >= n })
	if i < 0 {
		i = len(e.chunks)
		e.chunks = append(e.chunks, make(chunk, 0, max(n, chunkBytes)))
	}
	c := e.chunks[i]
	e.chunks[i] = c[:len(c)+n]
	return c[len(c) : len(c) : len(c)+n]
}

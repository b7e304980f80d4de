package receiver

import (
	"fmt"
	"sync"

	"edged"
)

// passed knows how far a file may be given up: up to the first line that is not stored yet. It is the Acker of one file's
// lines, from its beginning to the moment when it is cut short.
type passed struct {
	news chan struct{} // gets a value when the position may have moved

	mu   sync.Mutex
	ends []int64 // of the lines behind off, in order; ^end of one that may be passed
	base uint64  // the token of ends[0]
	off  int64
	err  error // what kept a line off the disk
}

func (*passed) patient() {}

// line notes a line that ends at an offset and is about to be taken, and returns its token.
func (p *passed) line(end int64) (token uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, end)
	return p.base + uint64(len(p.ends)-1)
}

// skip notes that what ends at an offset is no message.
func (p *passed) skip(end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, ^end)
	p.move()
}

// Acked implements edged.Acker.
func (p *passed) Acked(token uint64, _ edged.Pos, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := token - p.base; err == nil {
		p.ends[i] = ^p.ends[i]
		p.move()
	} else if p.err == nil {
		p.err = fmt.Errorf("a line could not be stored, and is read again: %w", err)
	}
}

func (p *passed) move() {
	n := 0
	for n < len(p.ends) && p.ends[n] < 0 {
		p.off = ^p.ends[n]
		n++
	}
	p.ends = p.ends[n:]
	p.base += uint64(n)
}

// Flush implements edged.Acker.
func (p *passed) Flush() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// state is the position, whether nothing is behind it that waits to be stored, and what went wrong.
func (p *passed) state() (off int64, settled bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.off, len(p.ends) == 0, p.err
}

package intake

import (
	"sync"
	"sync/atomic"
)

// kept is the memory of a publish with a payload of n bytes that is kept for subscribers, or to be retained, roughly.
func kept(n int) int { return n + 256 }

// keeps is what the publish counts until it was delivered.
func (p *Publish) keeps() int {
	if p.After == nil {
		return 0
	}
	return kept(p.Keeps)
}

// holds is what it counts while it is in the line.
func (p *Publish) holds() int {
	if p.Retained == nil {
		return 0
	}
	return kept(p.Holds)
}

// budget counts bytes up to a maximum that one take may pass.
type budget struct {
	max  int64
	used atomic.Int64

	mu   sync.Mutex
	more chan struct{} // closed when there is room again; nil if nobody waits
}

func (b *budget) over() bool { return b.used.Load() >= b.max }

func (b *budget) take(n int64) { b.used.Add(n) }

func (b *budget) give(n int64) {
	b.used.Add(-n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more != nil && !b.over() {
		close(b.more)
		b.more = nil
	}
}

// given returns a channel that is closed when there is room, at once if there is.
func (b *budget) given() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more == nil {
		b.more = make(chan struct{})
	}
	c := b.more
	if !b.over() {
		close(b.more)
		b.more = nil
	}
	return c
}

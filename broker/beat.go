package broker

import (
	"sync"
	"time"
)

// Each message that comes alone wakes a thread, and that costs more than everything that is done with it. So connections that send at a pace are read together, at a
// beat, while what they send must wait for its acknowledgement anyway (docs/adr/0026-reading-at-a-beat.md).
const (
	beatMost  = 20 * time.Millisecond // between two beats, at most
	beatShare = 10                    // of the wait for an acknowledgement: a beat takes so little of it
	paceMost  = 3 * beatMost          // a connection sends at a pace if its messages come with gaps from paceLeast to this,
	paceLeast = 4 * time.Millisecond
	paceReads = 4   // one by one, for so many readings,
	paceBytes = 512 // and goes on doing so while a reading brings no more than this
)

// beat has those who wait go on together. The zero value is ready.
type beat struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next beat; nil: nobody waits for it
}

// wait blocks until the next beat, which is after d, or before if others wait for it already.
func (b *beat) wait(d time.Duration) {
	b.mu.Lock()
	if b.next == nil {
		b.next = make(chan struct{})
		time.AfterFunc(d, b.strike)
	}
	next := b.next
	b.mu.Unlock()
	<-next
}

func (b *beat) strike() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = nil
}

// tempo is how a connection sends. It is its reading goroutine's.
type tempo struct {
	last    time.Time // of the latest reading
	packets int       // that it brought, as far as they were handed out
	others  int       // of them, that were no PUBLISH: somebody waits for what they answer
	alone   int       // readings in turn that brought one PUBLISH each, at a pace
	goes    bool      // it is read at the beat
}

// packet notes a packet that was handed out.
func (t *tempo) packet(publish bool) {
	if t.packets++; !publish {
		t.others++
	}
}

// read notes a reading of n bytes; what the one before it brought was handed out.
func (t *tempo) read(now time.Time, n int) {
	gap := now.Sub(t.last)
	switch {
	case t.others > 0, n > paceBytes, gap > paceMost, gap < paceLeast, t.packets > 1 && !t.goes:
		t.alone, t.goes = 0, false
	default:
		t.alone++
		t.goes = t.goes || t.alone >= paceReads
	}
	t.last, t.packets, t.others = now, 0, 0
}

// pause waits for the beat, if the connection sends at a pace and an acknowledgement has to wait for long anyway.
func (b *Broker) pause(t *tempo) {
	if !t.goes || b.patience == nil {
		return
	}
	if d := min(beatMost, b.patience()/beatShare); d >= paceLeast {
		b.beat.wait(d)
	}
}

package blockstore

import (
	"cmp"
	"runtime"
	"sync/atomic"

	"edged"
)

// finished is what a round has to tell.
type finished struct {
	err     error
	parcels []edged.Parcel
	updates []func(error)
	refused []func(error) // for want of room
}

func (f *finished) tell() {
	for _, p := range f.parcels {
		p.Done(f.err)
	}
	for _, done := range f.updates {
		done(f.err)
	}
	for _, done := range f.refused {
		done(cmp.Or(f.err, edged.ErrFull))
	}
}

// small reports whether it is told sooner than somebody else is woken for it.
func (f *finished) small() bool {
	n := 16 * (len(f.updates) + len(f.refused))
	for _, p := range f.parcels {
		n += p.Block.Len()
	}
	return n <= 256
}

// teller tells what has become of the rounds, in their order. One goroutine behind the committer tells of large ones, so that the next commit overlaps with
// the acknowledgements of the last one.
type teller struct {
	rounds  chan finished // nil while there is no such goroutine
	waiting atomic.Int32  // rounds that it has and has not told of
}

// begin starts the goroutine; end returns when everything is told.
func (t *teller) begin() (end func()) {
	t.rounds = make(chan finished, 64)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for f := range t.rounds {
			f.tell()
			t.waiting.Add(-1)
		}
	}()
	return func() {
		close(t.rounds)
		<-ended
	}
}

// tell is the committer's. Whoever is told may have woken somebody who writes acknowledgements: he goes first.
func (t *teller) tell(f finished) {
	if t.rounds != nil && (t.waiting.Load() > 0 || !f.small()) {
		t.waiting.Add(1)
		t.rounds <- f
		return
	}
	f.tell()
	runtime.Gosched()
}

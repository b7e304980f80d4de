package receiver

import (
	"context"
	"sync"

	"edged"
)

// tally is an Acker that counts, for a source that has to know when everything that it gave is stored.
type tally struct {
	mu      sync.Mutex
	acked   int
	at      edged.Pos     // of the message that was stored last
	err     error         // of the first message that could not be stored
	changed chan struct{} // holds a value when there is something to look at
}

func newTally() *tally { return &tally{changed: make(chan struct{}, 1)} }

// Acked implements edged.Acker.
func (t *tally) Acked(_ uint64, at edged.Pos, err error) {
	t.mu.Lock()
	t.acked++
	t.at = at
	if t.err == nil {
		t.err = err
	}
	t.mu.Unlock()
}

// Flush implements edged.Acker.
func (t *tally) Flush() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// wait returns nil when the first n messages are stored. An error is that of a message which is not, or the cause of ctx's end.
// It is called by one goroutine at a time.
func (t *tally) wait(ctx context.Context, n int) error {
	for {
		t.mu.Lock()
		err, acked := t.err, t.acked
		t.mu.Unlock()
		if err != nil || acked >= n {
			return err
		}
		select {
		case <-t.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// patientTally is a tally of a source that goes on meanwhile.
type patientTally struct{ *tally }

func (patientTally) patient() {}

package custom

import (
	"fmt"
	"sync"

	"edged"
)

// receipts gathers what is stored. It implements edged.Acker, whose methods may not block: so it only takes notes, and the receiver, which is
// woken once a commit, does the work.
type receipts struct {
	more chan struct{} // holds a value when there is something to collect

	mu     sync.Mutex
	stored []uint64
	err    error
}

func newReceipts() *receipts { return &receipts{more: make(chan struct{}, 1)} }

// Acked implements edged.Acker.
func (r *receipts) Acked(token uint64, _ edged.Pos, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.err = fmt.Errorf("a reading could not be stored: %w", err)
		return
	}
	r.stored = append(r.stored, token)
}

// Flush implements edged.Acker.
func (r *receipts) Flush() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// collect gives what is stored and was not collected before. The error stays: the receiver begins anew with it.
func (r *receipts) collect() (stored []uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, r.stored = r.stored, nil
	return stored, r.err
}

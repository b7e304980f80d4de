package broker

import "sync"

// lowWater is the place in the log before which every kept message has been through the fan-out: what a session was to get before it is
// in its outbox, or settled. A publish takes a ticket before any receiver has it, so that its place can only be at or after the end of
// the log at that moment, and gives it back when its subscribers have it or when it has failed.
type lowWater struct {
	end func() uint64 // of the log; it never decreases

	mu   sync.Mutex
	row  []stretch // from the first with a ticket that is out
	head uint64    // number of the first
}

// stretch is the tickets that were taken while the log ended at the same place: there is one a commit, however many publishes there are.
type stretch struct {
	end uint64
	out int
}

// take takes a ticket, and returns the number of its stretch.
func (w *lowWater) take() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := w.end() // not before the lock: a mark that was given meanwhile must not be taken back
	if n := len(w.row); n == 0 || w.row[n-1].end < end {
		w.row = append(w.row, stretch{end: end})
	}
	i := len(w.row) - 1
	w.row[i].out++
	return w.head + uint64(i)
}

// back gives a ticket back.
func (w *lowWater) back(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.row[n-w.head].out--
	i := 0
	for i < len(w.row) && w.row[i].out == 0 {
		i++
	}
	w.head += uint64(i)
	if w.row = w.row[i:]; len(w.row) == 0 {
		w.row = nil
	}
}

// mark returns the place.
func (w *lowWater) mark() uint64 {
	end := w.end() // before looking: who takes a ticket later has a later place
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.row) > 0 {
		return min(end, w.row[0].end)
	}
	return end
}

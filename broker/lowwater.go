package broker

import "sync"

// lowWater is the place in the log before which every kept message has been through the fan-out: what a session was to get before it is
// in its outbox, or settled. A publish takes a ticket before any receiver has it, so that its place can only be at or after the end of
// the log at that moment, and gives it back when its subscribers have it or when it has failed.
type lowWater struct {
	end func() uint64 // of the log

	mu   sync.Mutex
	row  []ticket // those out, and given back ones between them, in the order in which they were taken
	head uint64   // number of the first
}

type ticket struct {
	end  uint64
	back bool
}

// take takes a ticket, and returns its number.
func (w *lowWater) take() uint64 {
	end := w.end()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.row = append(w.row, ticket{end: end})
	return w.head + uint64(len(w.row)) - 1
}

// back gives a ticket back.
func (w *lowWater) back(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.row[n-w.head].back = true
	i := 0
	for i < len(w.row) && w.row[i].back {
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

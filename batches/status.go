package batches

import (
	"time"

	"edged"
)

// Status is what is shown of a stream: its part of the ledger, and where it stands.
type Status struct {
	Stream    string       `json:"stream"`
	Routed    uint64       `json:"routed"` // messages stored whose receiver and topic it takes
	Counts                 // routed = filtered + dead + late + applied + damaged + dropped + pending
	Pending   int64        `json:"pending"`
	Balanced  bool         `json:"balanced"` // the equation holds: nothing is missing that should be there
	Position  uint64       `json:"position"`
	End       uint64       `json:"end"` // of the log
	Groups    int          `json:"groups,omitempty"`
	Watermark *time.Time   `json:"watermark,omitempty"`
	Windowed  bool         `json:"windowed,omitempty"` // its rows are in a result log: results of windows, or of rows before them
	Problem   string       `json:"problem,omitempty"`
	Types     []TypeErrors `json:"type_errors,omitempty"`
	Join      *JoinStatus  `json:"join,omitempty"`
}

// Status returns the present state.
func (s *Stream) Status() Status {
	t := s.o.Store.LastTick()
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.shown
	st := Status{
		Stream: s.name, Counts: rec.Counts, Position: s.at, End: s.o.Store.End(), Groups: s.groups, Problem: s.problem, Join: s.join,
		Routed: rec.passed(), Balanced: true, Windowed: s.o.Plan.Logged(),
	}
	if s.types != nil {
		st.Types = s.types.typeErrors()
	}
	if routed, ok := rec.routed(s.name, t); ok {
		st.Routed = routed
		st.Pending = int64(routed) - int64(rec.passed())
	}
	// At rest the equation must hold to the message. On the way, what the stream passed since the newest tick is ahead of
	// what it says, and before the stream's birth nobody counts for it.
	if atRest := t != nil && s.at > t.Seq; s.ready && atRest && s.at >= rec.born {
		st.Balanced = st.Pending == 0
	}
	if w := s.level; s.o.Plan.Logged() && w.Wall > 0 {
		at := w.Time()
		st.Watermark = &at
	}
	return st
}

// LastRound is when the stream last came round: the watchdog is fed by it.
func (s *Stream) LastRound() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.round
}

var _ edged.Rider = (*Stream)(nil)

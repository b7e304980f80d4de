package batches

import "edged"

// JoinStatus is what is shown of a stream's join.
type JoinStatus struct {
	With     string `json:"with"`               // the receiver of the other side
	Rows     int    `json:"rows"`               // of the table, or held of both streams
	Skipped  int    `json:"skipped,omitempty"`  // rows of the table without a key, or with one that is too long
	Repeated int    `json:"repeated,omitempty"` // rows of the table whose key a later one has
	Dropped  uint64 `json:"dropped,omitempty"`  // rows behind the join that max_groups left no room for, or with a group key that is too long, since the start: their messages count as applied
	Missing  bool   `json:"missing,omitempty"`  // there is no table, or not the latest
	Refused  string `json:"refused,omitempty"`  // why the latest table cannot be read; the one before is in force, if there was one

	wants bool // its receiver is asked for it
}

func (s *Stream) joinStatus() *JoinStatus {
	if s.p == nil || s.p.join == nil {
		return nil
	}
	is := &JoinStatus{With: s.p.join.other}
	if t := s.r.table; t != nil {
		is.Rows, is.Skipped, is.Repeated, is.Missing = len(t.rows), t.skipped, t.repeated, t.lacks()
		is.wants = is.Missing && !t.refused
		if t.refused {
			is.Refused = t.why
		}
	}
	if s.held != nil {
		is.Rows, is.Dropped = len(s.held.order), s.lost
	}
	return is
}

// Wants reports whether the stream has passed a place in the log, joins the table of a receiver, and lacks it. It is false until the stream has opened, and
// when it had one there that it could not read: it would be the same again.
func (s *Stream) Wants(receiver string, since edged.Pos) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready && s.join != nil && s.join.wants && s.join.With == receiver && s.at > since.Seq
}

package batches

import "slices"

// A delivery of a stream without a window reads the log after the stream. Whether payloads can be read the stream has found out by then; where
// nothing else is asked of them, the delivery need not look into them again. What is known is not stored, and nothing depends on it: what is not
// known, after a restart or of entries with poison in them, is found out once more, and comes out the same.

// maxSound bounds what is known. A log with little poison is few spans.
const maxSound = 64

// isSound notes that none of an entry's messages is poison.
func (s *Stream) isSound(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sound = s.sound.Add(seq, seq+1); len(s.sound) > maxSound {
		s.sound = slices.Delete(s.sound, 0, 1)
	}
}

// knownSound reports whether an entry was noted, as the plan reads it.
func (s *Stream) knownSound(seq uint64, p *Plan) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.sound.Next(seq)
	return ok && at == seq && p == s.o.Plan
}

// blind reports whether all that a row has of its payload is the payload: a reader that knows that it can be read need not decode it.
func (p *Plan) blind() bool { return p.decode.Plain && len(p.paths) == 0 && !p.fans() }

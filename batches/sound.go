package batches

import (
	"slices"
	"sync"

	"edged"
	"edged/batches/window"
)

// A stream that asks nothing of its payloads but whether they can be read, as one does that passes them on as they came, need not look into what another
// stream has read. What is known is not stored, and nothing depends on it: what is not known, after a restart or of entries with poison in them, is found
// out once more, and comes out the same.

// Sound is in which entries of the log streams have found that every payload can be read, by format. It is for any goroutine; nil knows of none.
type Sound struct {
	mu      sync.Mutex
	entries map[string]edged.Spans
	readers map[string]int // streams that run and decode payloads of the format whatever is known
}

// maxSound bounds what is known. A log with little poison is few spans.
const maxSound = 64

func addSound(known edged.Spans, seq uint64) edged.Spans {
	if n := len(known) - 1; n >= 0 && known[n].From <= seq && seq <= known[n].To {
		known[n].To = max(known[n].To, seq+1)
		return known
	}
	if known = known.Add(seq, seq+1); len(known) > maxSound {
		known = slices.Delete(known, 0, 1)
	}
	return known
}

// add notes an entry. One without payloads says nothing by itself: it is only noted behind one that is known, or the ticks that a stream passes which reads a part of
// the payloads would take the room of what others have read.
func (k *Sound) add(format string, seq uint64, payloads bool) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.entries[format]
	if !payloads && !slices.ContainsFunc(known, func(sp edged.Span) bool { return sp.To == seq }) {
		return
	}
	if k.entries == nil {
		k.entries = map[string]edged.Spans{}
	}
	k.entries[format] = addSound(known, seq)
}

// until returns the first entry from one on that is not known: that one, if it is not.
func (k *Sound) until(format string, from uint64) uint64 {
	if k == nil {
		return from
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, sp := range k.entries[format] {
		if sp.From <= from && from < sp.To {
			return sp.To
		}
	}
	return from
}

// reads notes a stream that decodes payloads of a format, until it is done.
func (k *Sound) reads(format string) (done func()) {
	count := func(n int) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.readers == nil {
			k.readers = map[string]int{}
		}
		k.readers[format] += n
	}
	count(1)
	return func() { count(-1) }
}

// read reports whether there is such a stream.
func (k *Sound) read(format string) bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.readers[format] > 0
}

// tells has others know what this stream will find out, until it is done.
func (s *Stream) tells() (done func()) {
	if s.o.Sound == nil || !s.p.decode.Plain || s.p.blind() {
		return func() {}
	}
	return s.o.Sound.reads(s.p.format)
}

// follows reports whether another stream reads what this one would look into, so that it had better come second.
func (s *Stream) follows() bool { return s.p.blind() && s.o.Sound.read(s.p.format) }

// worthTo is how far a step is worth it before the batch interval is over; false if it is not. It is if so much waits that it had better be taken while the store still has it in memory,
// instead of in one great step behind, and read from the disk again. Where the interval shows in the results it is kept, and where every step is a commit: of a chained stream.
//
// One that follows goes as far as others have read, unless they do not get on.
func (s *Stream) worthTo() (end uint64, ok bool) {
	end = s.o.Store.End()
	if s.p.window.Kind == window.Batch || s.out.chain != nil {
		return end, false
	}
	much := int64(muchBytes)
	if s.follows() {
		read := min(s.o.Sound.until(s.p.format, s.rec.applied), end)
		if s.pending(read) >= muchBytes/2 {
			return read, true
		}
		much = 2 * muchBytes
	}
	return end, s.pending(end) >= much
}

// applySound applies an entry, and notes what it has found out.
func (s *Stream) applySound(e *edged.Entry) {
	dead := s.rec.Dead
	s.whole = e.Block == nil
	s.apply(e)
	if e.Err != nil || s.rec.Dead != dead {
		return
	}
	if s.st == nil {
		s.isSound(e.Seq)
	}
	if s.whole && s.p.decode.Plain {
		s.o.Sound.add(s.p.format, e.Seq, e.Block != nil)
	}
}

// isSound notes that none of an entry's messages that are the stream's is poison.
func (s *Stream) isSound(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sound = addSound(s.sound, seq)
}

// knownSound reports whether an entry was noted, as the plan reads it: a delivery of a stream without a window reads the log after the stream, and believes it.
func (s *Stream) knownSound(seq uint64, p *Plan) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.sound.Next(seq)
	return ok && at == seq && p == s.o.Plan
}

// blind reports whether all that a row has of its payload is the payload: a reader that knows that it can be read need not decode it.
func (p *Plan) blind() bool { return p.decode.Plain && len(p.paths) == 0 && !p.fans() }

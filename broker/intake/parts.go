package intake

import (
	"math"
	"slices"
)

// A publish with QoS 2 can be stored in part: the process dies between the commits of two sources, its connection ends while it waits for room in
// the second one, or all of them have it and the change of the retained message finds no room. Its client repeats it, and the repeat is for those
// alone that lack it, so that each has it once. Which ones have it is on disk with the blocks (edged.Origin.Received), and here.

// part settles for whom a publish is. known says that its identifier is that of one that was stored in part, again that this is its
// repeat; else what is left of that one is forgotten, before any source can note its identifier for this one. It is called with the lock.
func (s *Session) part(p *Publish, known, again bool) {
	p.stored = nil
	switch {
	case again:
		p.stored = s.parts[p.ID]
	case known:
		s.forgetDurably(p.ID, nil)
	}
	delete(s.parts, p.ID)
	if p.QoS == 2 && s.memory != nil {
		p.Origin.Copies = p.copies()
	}
}

// noteParts notes which sources have stored a publish. It is called with the lock, and keeps stored.
func (s *Session) noteParts(id uint16, stored []string) {
	if s.parts == nil {
		s.parts = map[uint16][]string{}
	}
	s.parts[id] = stored
}

// inPart notes who was given a publish, the first of those who want it and those who had it, in case that it is not acknowledged. They may not
// have stored it yet, but its entry does not leave before they have.
func (s *Session) inPart(token uint64, p *Publish, handed int) {
	stored := slices.Clone(p.stored)
	for i, source := range p.Sources[:handed] {
		if source != "" && !p.has(i) {
			stored = append(stored, source)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.line.at(token); len(stored) > 0 && !e.failed && !s.over && s.memory != nil {
		s.noteParts(e.id, stored)
	}
}

// has reports whether the receiver with the number i has stored the publish already.
func (p *Publish) has(i int) bool {
	return len(p.stored) > 0 && i < len(p.Sources) && p.Sources[i] != "" && slices.Contains(p.stored, p.Sources[i])
}

// wanting is how many receivers want the publish still.
func (p *Publish) wanting() int {
	if len(p.stored) == 0 {
		return len(p.To)
	}
	n := 0
	for i := range p.To {
		if !p.has(i) {
			n++
		}
	}
	return n
}

// copies is Origin.Copies: the sources that have stored it, and those that will.
func (p *Publish) copies() uint8 {
	n := len(p.stored)
	for i := range p.To {
		if i < len(p.Sources) && p.Sources[i] != "" && !p.has(i) {
			n++
		}
	}
	return uint8(min(n, math.MaxUint8))
}

package intake

import (
	"math"
	"slices"
)

// A publish with QoS 2 can be stored in part: the process dies between the commits of two sources, its connection ends while it waits for room in
// the second one, or all of them have it and the change of the retained message finds no room. Its client repeats it, and the repeat is for those
// alone that lack it, so that each has it once. Which ones have it is on disk with the blocks (edged.Origin.Received), and here.
//
// A receiver whose blocks are not in the log for good is not among those: it gets each repeat.

// part is what is stored of a publish that was not acknowledged. It is not changed once it is known under an identifier.
type part struct {
	number uint64   // edged.Origin.Number
	stored []string // the sources that have it, or are about to
	read   bool     // the copy that MQTT sessions read is stored, and was delivered to them
}

// identify gives a publish of a kept session its identity: that of the part which it repeats, or a new one. What is left of another publish under its
// identifier, whose client has forgotten it, is forgotten here, too: a crash would take the repeats of this one for it. It is called with the lock.
func (s *Session) identify(p *Publish, k *known, again bool) {
	p.part = nil
	switch {
	case again:
		p.part = k.part
	case k != nil && k.qos == 2 && k.state != releasing:
		s.forgetDurably(p.ID, nil)
	}
	if p.part != nil {
		p.Origin.Number = p.part.number
	} else {
		p.Origin.Number = s.in.numbers.Add(1)
	}
	p.Origin.Copies = p.copies()
}

// noteHanded notes who was given a publish, the first of those who want it and those who had it, in case that it is not acknowledged. They may not
// have stored it yet, but its entry does not leave before they have.
func (s *Session) noteHanded(token uint64, p *Publish, handed int) {
	have := &part{number: p.Origin.Number}
	if p.part != nil {
		have.read, have.stored = p.part.read, slices.Clone(p.part.stored)
	}
	for i, source := range p.Sources[:handed] {
		if source != "" && !p.has(i) {
			have.stored = append(have.stored, source)
		}
	}
	if len(have.stored) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.at(token).part = have
}

// has reports whether the receiver with the number i has stored the publish already.
func (p *Publish) has(i int) bool {
	return p.part != nil && i < len(p.Sources) && p.Sources[i] != "" && slices.Contains(p.part.stored, p.Sources[i])
}

// isRead reports whether MQTT sessions have the publish already.
func (p *Publish) isRead() bool { return p.part != nil && p.part.read }

// wanting is how many receivers want the publish still.
func (p *Publish) wanting() int {
	if p.part == nil {
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
	n := 0
	if p.part != nil {
		n = len(p.part.stored)
	}
	for i := range p.To {
		if i < len(p.Sources) && p.Sources[i] != "" && !p.has(i) {
			n++
		}
	}
	return uint8(min(n, math.MaxUint8))
}

package batches

import "edged"

// Trials of streams that take from each other. What one gives comes to the next one as it would by a log: blocks, and ticks that say how far it has come.

// PassOn has another trial, whose stream takes from this one's, take what this one gives. It is called before the first message. End is called for this
// one first.
func (t *Trial) PassOn(to *Trial) {
	t.to = append(t.to, to)
	to.cuts[t.p.Name] = edged.Instant{}
	t.s.o.Chained = true
	t.s.link()
}

// pass gives what the stream gave to those that take from it.
func (t *Trial) pass() error {
	blocks := t.store.blocks
	t.store.blocks = nil
	for _, to := range t.to {
		for _, b := range blocks {
			if err := to.take(*b); err != nil {
				return err
			}
		}
		if at := t.s.over(); to.cuts[t.p.Name].Before(at) {
			to.cuts[t.p.Name] = at
			if to.begun {
				to.tick(to.high.Add(-trialSlack))
				if err := to.step(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// take takes a block of a stream.
func (t *Trial) take(b edged.Block) error {
	if t.block != nil {
		if err := t.flush(); err != nil {
			return err
		}
	}
	n := b.Len()
	if !t.begun {
		t.begin(b.Cut.Epoch)
	}
	t.high = later(t.high, edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[n-1]})
	t.store.append(edged.Entry{Block: &b})
	t.read, t.passed = t.read+uint64(n), t.passed+uint64(n)
	return t.step()
}

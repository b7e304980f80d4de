package batches

import (
	"errors"
	"strings"
	"time"

	"edged"
)

// The log that a trial makes up.
const (
	trialSlack    = time.Minute                   // by which every receiver is taken to be behind the latest message
	trialInterval = int64(200 * time.Millisecond) // of blocks that are not known
	trialBlock    = 1000                          // messages of such a block
)

// Table gives the stream the table that it joins, before the first message: it counts for nothing. An error says why it is none.
func (t *Trial) Table(receiver string, m *edged.Message) error {
	if err := t.Add(&Taken{Message: *m, Receiver: receiver, Trusted: true}); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	dead := t.s.rec.Dead > 0
	t.read, t.passed, t.s.rec.Counts = 0, 0, Counts{}
	if dead {
		return errors.New(strings.Join(t.reasons, "; "))
	}
	return nil
}

// Add takes a message. Nothing of it is kept. An error is that of rows, and ends the trial.
func (t *Trial) Add(m *Taken) error {
	t.read++
	if t.block != nil && !t.fits(m) {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if t.block == nil {
		t.block = &edged.Block{Receiver: m.Receiver, Cut: edged.Instant{Epoch: m.At.Epoch}, Trusted: m.Trusted}
		t.topics, t.of = map[string]uint32{}, m.Block
	}
	b := t.block
	i, ok := t.topics[m.Topic]
	if !ok {
		i = uint32(len(b.Topics))
		t.topics[m.Topic] = i
		b.Topics = append(b.Topics, m.Topic)
	}
	flags := m.QoS & edged.QoSMask
	if m.Retain {
		flags |= edged.FlagRetain
	}
	b.Topic, b.Arrival, b.Flags = append(b.Topic, i), append(b.Arrival, m.At.Wall), append(b.Flags, flags)
	b.Data = append(b.Data, m.Payload...)
	b.End = append(b.End, uint32(len(b.Data)))
	return nil
}

// fits reports whether a message is of the block that is being filled.
func (t *Trial) fits(m *Taken) bool {
	b := t.block
	last := b.Arrival[b.Len()-1]
	if m.Receiver != b.Receiver || m.At.Epoch != b.Cut.Epoch || m.Trusted != b.Trusted || m.Block != t.of || m.At.Wall < last || len(b.Data) > stepBytes {
		return false
	}
	return t.of != 0 || b.Len() < trialBlock && m.At.Wall-b.Arrival[0] < trialInterval
}

// flush has the stream take the block, with the time that has passed before it.
func (t *Trial) flush() error {
	b := t.block
	t.block = nil
	first, last := edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[0]}, edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[b.Len()-1]}
	t.high = later(t.high, first)
	if !t.begun {
		t.begin(first.Epoch)
	}
	t.tick(t.high.Add(-trialSlack))
	if t.high = later(t.high, last); t.high.Epoch == b.Cut.Epoch {
		b.Cut = t.high.Add(-trialSlack)
	} else {
		b.Cut = last // of an epoch that is over
	}
	t.store.append(edged.Entry{Block: b})
	t.passed += uint64(b.Len())
	return t.step()
}

// begin is called before the first block.
func (t *Trial) begin(epoch uint32) {
	t.begun = true
	if t.p.time.field != nil {
		epoch = 0
	}
	if t.s.st != nil && !t.since.IsZero() {
		t.s.st.tear(edged.Instant{Epoch: epoch, Wall: t.since.UnixNano()})
	}
}

// tick says that every receiver has come as far as at, and every stream as far as it has.
func (t *Trial) tick(at edged.Instant) {
	k := &edged.Tick{}
	for _, r := range t.p.from {
		cut, stream := t.cuts[r]
		if !stream {
			cut = at
		}
		k.Receivers = append(k.Receivers, edged.ReceiverTotal{Receiver: r, Cut: cut, Stream: stream})
	}
	t.store.append(edged.Entry{Tick: k})
}

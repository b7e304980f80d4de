package blockstore

import "edged"

// totals are the running totals that ticks carry. The committer owns them.
type totals struct {
	receivers []edged.ReceiverTotal
	base      []uint64 // rejected before this process, by receiver
	streams   []edged.StreamTotal
}

func (t *totals) load(tick *edged.Tick) {
	for _, r := range tick.Receivers {
		t.receivers = append(t.receivers, r)
		t.base = append(t.base, r.Rejected)
	}
	t.streams = append(t.streams, tick.Routed...)
}

func (t *totals) receiver(name string) int {
	for i := range t.receivers {
		if t.receivers[i].Receiver == name {
			return i
		}
	}
	t.receivers = append(t.receivers, edged.ReceiverTotal{Receiver: name})
	t.base = append(t.base, 0)
	return len(t.receivers) - 1
}

func (t *totals) stream(name string) int {
	for i := range t.streams {
		if t.streams[i].Stream == name {
			return i
		}
	}
	t.streams = append(t.streams, edged.StreamTotal{Stream: name})
	return len(t.streams) - 1
}

func (t *totals) forget(stream string) {
	for i := range t.streams {
		if t.streams[i].Stream == stream {
			t.streams = append(t.streams[:i:i], t.streams[i+1:]...)
			return
		}
	}
}

// stored counts a block; add is given to the router.
func (t *totals) stored(b *edged.Block) {
	r := &t.receivers[t.receiver(b.Receiver)]
	r.Stored += uint64(b.Len())
	r.Bytes += uint64(content(b))
}

// content is the bytes of the topics and payloads of a block's messages.
func content(b *edged.Block) int {
	n := len(b.Data)
	for _, k := range b.Topic {
		n += len(b.Topics[k])
	}
	return n
}

func (t *totals) routed(stream string, messages uint64) {
	t.streams[t.stream(stream)].Routed += messages
}

// gave moves the time of a chained stream on.
func (t *totals) gave(stream string, cut edged.Instant) {
	r := &t.receivers[t.receiver(stream)]
	r.Stream, r.Cut = true, laterOf(r.Cut, cut)
}

// with returns a copy in which the time of the cut receivers and of the chained streams has moved on.
func (t *totals) with(cuts []cut, given []given) totals {
	c := totals{append([]edged.ReceiverTotal(nil), t.receivers...), append([]uint64(nil), t.base...), append([]edged.StreamTotal(nil), t.streams...)}
	for _, h := range cuts {
		i := c.receiver(h.name)
		r := &c.receivers[i]
		if r.Stream { // a receiver has taken its name
			r.Cut = edged.Instant{}
		}
		if r.Cut.Before(h.At) {
			r.Cut = h.At
		}
		r.Rejected, r.Stream = c.base[i]+h.Rejected, false
	}
	for _, g := range given {
		c.gave(g.stream, g.at)
	}
	return c
}

// tick makes a tick of the present totals.
func (t *totals) tick(seq uint64) *edged.Tick {
	return &edged.Tick{
		Seq:       seq,
		Receivers: append([]edged.ReceiverTotal(nil), t.receivers...),
		Routed:    append([]edged.StreamTotal(nil), t.streams...),
	}
}

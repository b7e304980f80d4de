package batches

import (
	"slices"

	"edged"
	"edged/internal/rowjson"
)

// chain makes blocks of what a stream gives, for the streams that take from it (docs/adr/0019-chains.md).
//
// Each row arrives at a moment. What leaves by the watermark, windows on a grid and sessions, does so 1 ns before its window's end: it has ended by then,
// and whatever ends later arrives no earlier. What leaves with its rows arrives when the latest of them did. Nothing arrives before the floor: what was
// said to be over.
//
// The rows of one entry stand in the order of their arrivals, and a block holds those of one epoch and of one trust in the clock; of what leaves by the
// watermark, those of one window's end. So blocks depend on what the stream gives, not on when it gives it.
type chain struct {
	p     *Plan
	floor edged.Instant // no row arrives before
	came  edged.Instant // of the last message of the entry under way, or of the last block before it

	objects rowjson.Objects
	rows    []link
	data    []byte

	blocks []*edged.Block // ready to be committed
	size   int64          // of them
}

// link is a row that was given.
type link struct {
	at      edged.Instant
	trusted bool
	topic   string
	text    span
}

type span struct{ from, to int }

// Bounds of a block, as a receiver's have them.
const (
	chainBytes    = 1 << 20
	chainMessages = 1 << 16
)

// follows reports whether what the stream gives leaves by the watermark, and not with the rows that caused it.
func (p *Plan) follows() bool { return p.window.OnGrid() || p.window.Gap > 0 }

// byTime reports whether it leaves in the order of the stream's time: by the watermark, or behind a join of two streams, which has rows leave so.
func (p *Plan) byTime() bool { return p.follows() || p.joinsStreams() }

// Dated reports whether the rows that the stream gives to others arrive by a field of its payloads, and not by the gateway's clock.
func (p *Plan) Dated() bool { return p.byTime() && p.time.field != nil }

// begin readies it for the rows of an output.
func (c *chain) begin(rows *edged.Rows) { c.objects.Reset(rows) }

// result takes a row of a window.
func (c *chain) result(win edged.Window, is signs, row int) {
	at := is.at
	switch {
	case c.p.follows():
		at = edged.Instant{Epoch: win.Epoch, Wall: win.End - 1}
	case c.p.time.field != nil && !c.p.joinsStreams():
		at = c.came
	}
	c.add(at, !is.untrusted, c.p.Name, row)
}

// add takes row i of the rows that it was readied for.
func (c *chain) add(at edged.Instant, trusted bool, topic string, i int) {
	if c.p.Dated() {
		at.Epoch = c.floor.Epoch
	}
	from := len(c.data)
	c.data = c.objects.Append(c.data, i)
	c.rows = append(c.rows, link{c.atFloor(at), trusted, topic, span{from, len(c.data)}})
}

// atFloor is the moment itself, or if it is below the floor the next one that is not. One of an epoch that was said to be over keeps its wall time if it can.
func (c *chain) atFloor(at edged.Instant) edged.Instant {
	if at.Epoch < c.floor.Epoch {
		at.Epoch = c.floor.Epoch
	}
	return later(at, c.floor)
}

// end makes blocks of the rows of an entry, or of a batch, at whose end the stream's time is now.
func (c *chain) end(now edged.Instant) {
	slices.SortStableFunc(c.rows, func(a, b link) int { return a.at.Compare(b.at) })
	for rest := c.rows; len(rest) > 0; {
		n := c.run(rest)
		b := c.block(rest[:n])
		rest = rest[n:]
		b.Cut = c.cut(b, now, rest)
		c.floor = later(c.floor, b.Cut)
		c.blocks = append(c.blocks, b)
		c.size += b.Size()
	}
	clear(c.rows)
	if c.rows, c.data = c.rows[:0], c.data[:0]; cap(c.data) > 4*chainBytes {
		c.rows, c.data = nil, nil
	}
	c.floor = later(c.floor, now)
}

// run is how many of the rows go into one block.
func (c *chain) run(rows []link) int {
	n, size := 1, rows[0].text.to-rows[0].text.from
	for ; n < len(rows) && n < chainMessages && size < chainBytes; n++ {
		a, b := &rows[0], &rows[n]
		if a.at.Epoch != b.at.Epoch || a.trusted != b.trusted || c.p.byTime() && a.at != b.at {
			break
		}
		size += b.text.to - b.text.from
	}
	return n
}

func (c *chain) block(rows []link) *edged.Block {
	n := len(rows)
	b := &edged.Block{
		Receiver: c.p.Name, Cut: rows[0].at, Trusted: rows[0].trusted,
		Topic: make([]uint32, n), Arrival: make([]int64, n), Flags: make([]uint8, n), End: make([]uint32, n),
	}
	topics := map[string]uint32{}
	for i, r := range rows {
		t, ok := topics[r.topic]
		if !ok {
			t = uint32(len(b.Topics))
			topics[r.topic], b.Topics = t, append(b.Topics, r.topic)
		}
		b.Data = append(b.Data, c.data[r.text.from:r.text.to]...)
		b.Topic[i], b.Arrival[i], b.End[i] = t, r.at.Wall, uint32(len(b.Data))
	}
	return b
}

// cut is a moment in the epoch of a block before which no later row arrives: what the stream's time says, and the rows of the entry that come behind it. What
// leaves by the watermark says no more than its own arrival, so that its blocks are the same wherever ticks lie. In an epoch that only a part of
// the receivers have come to, nothing is known.
func (c *chain) cut(b *edged.Block, now edged.Instant, rest []link) edged.Instant {
	last := edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[b.Len()-1]}
	if len(rest) > 0 {
		now = earlier(now, rest[0].at)
	}
	if c.p.byTime() {
		now = earlier(now, last)
	}
	switch {
	case now.Epoch > last.Epoch:
		return last
	case now.Epoch < last.Epoch:
		return edged.Instant{Epoch: last.Epoch}
	}
	return now
}

// take returns the blocks that are ready.
func (c *chain) take() (blocks []*edged.Block) {
	if c == nil {
		return nil
	}
	blocks, c.blocks, c.size = c.blocks, nil, 0
	return blocks
}

func earlier(a, b edged.Instant) edged.Instant {
	if b.Before(a) {
		return b
	}
	return a
}

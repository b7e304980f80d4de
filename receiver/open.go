package receiver

import (
	"bytes"
	"strings"

	"edged"
	"edged/internal/lately"
)

const (
	maxBlockBytes    = 1 << 20 // a block is cut early when it holds as much
	maxBlockMessages = 1 << 16
)

// openBlock gathers messages into columns, and is used again for block after block: what goes with a block is a copy of its own length.
// Room for the next one would be too much or too little: a small block often follows a large one, and stays in the store's cache.
type openBlock struct {
	b       *edged.Block
	columns columns
	topics  dictionary // of this block
	acks    []ackRef
	ackers  []acking
	named   int // bytes of this block's topics and extras
	need    need
}

// columns are the memory in which the open block grows.
type columns struct {
	topic   []uint32
	arrival []int64
	flags   []uint8
	end     []uint32
	data    []byte
}

// need is what the latest blocks have needed, by which the columns are kept or given up: small blocks stand between large ones, and to grow anew for each
// of those costs more than all the rest of taking a message.
type need struct{ messages, data lately.Most }

// ackRef is a run of messages to acknowledge, whose places and tokens follow each other: who, and which.
type ackRef struct {
	acker uint32 // index into ackers
	index uint32 // of the first message in its block
	n     uint32
	token uint64 // of the first message
}

// acking is somebody who is told of n messages of a block.
type acking struct {
	*waiter
	n int
}

func (o *openBlock) len() int {
	if o.b == nil {
		return 0
	}
	return o.b.Len()
}

func (o *openBlock) bytes() int64 {
	if o.b == nil {
		return 0
	}
	return int64(len(o.b.Data)+o.named) + 17*int64(len(o.b.Topic))
}

func (o *openBlock) begin(receiver string, epoch uint32) {
	o.topics.begin()
	o.named = 0
	c := &o.columns
	o.b = &edged.Block{
		Receiver: receiver, Cut: edged.Instant{Epoch: epoch},
		Topic: c.topic, Arrival: c.arrival, Flags: c.flags, End: c.end, Data: c.data,
	}
}

// add appends a copy of a message.
func (o *openBlock) add(m *edged.Message, wall int64) {
	b := o.b
	t, isNew := o.topics.number(m.Topic)
	if isNew {
		o.named += len(m.Topic)
	}
	flags := m.QoS & edged.QoSMask
	if m.Retain {
		flags |= edged.FlagRetain
	}
	if m.Kept {
		flags |= edged.FlagKept
		if len(m.Extra) > 0 {
			b.Extras = append(b.Extras, edged.BlockExtra{Index: uint32(b.Len()), Data: bytes.Clone(m.Extra)})
			o.named += len(m.Extra)
		}
	}
	if m.QoS == 2 && m.Origin != (edged.Origin{}) { // a part of a message has none, unless it is the last
		b.Origins = append(b.Origins, edged.BlockOrigin{
			Index:  uint32(b.Len()),
			Origin: edged.Origin{Client: strings.Clone(m.Origin.Client), PacketID: m.Origin.PacketID, Copies: m.Origin.Copies, Number: m.Origin.Number},
		})
	}
	b.Topic = append(b.Topic, t)
	b.Arrival = append(b.Arrival, wall)
	b.Flags = append(b.Flags, flags)
	b.Data = append(b.Data, m.Payload...)
	b.End = append(b.End, uint32(len(b.Data)))
}

// addAck notes who is to be told of the message that was added last; acker is the index of its acker.
func (o *openBlock) addAck(acker uint32, token uint64) {
	index := uint32(o.b.Len() - 1)
	if k := len(o.acks) - 1; k >= 0 {
		if last := &o.acks[k]; last.acker == acker && last.index+last.n == index && last.token+uint64(last.n) == token {
			last.n++
			return
		}
	}
	o.acks = append(o.acks, ackRef{acker, index, 1, token})
}

// cut ends the block at an instant. An instant of another epoch is not the block's: it ends with its last arrival.
func (o *openBlock) cut(at edged.Instant, trusted bool) (*edged.Block, []ackRef, []acking) {
	b := o.b
	if at.Epoch != b.Cut.Epoch {
		at = edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[b.Len()-1]}
	}
	b.Cut, b.Trusted = at, trusted
	c := &o.columns
	b.Topic, c.topic = taken(b.Topic)
	b.Arrival, c.arrival = taken(b.Arrival)
	b.Flags, c.flags = taken(b.Flags)
	b.End, c.end = taken(b.End)
	b.Data, c.data = taken(b.Data)
	b.Topics = o.topics.topics()
	acks, ackers := o.acks, o.ackers
	acks, o.acks = taken(acks)
	o.b, o.ackers = nil, make([]acking, 0, len(ackers))
	o.settle(b)
	return b, acks, ackers
}

// taken returns a copy of a column for its block, and the column to be filled again.
func taken[T any](s []T) (copied, again []T) { return append([]T(nil), s...), s[:0] }

// settle gives up columns that are much larger than what the latest blocks have needed.
func (o *openBlock) settle(b *edged.Block) {
	c := &o.columns
	if most, over := o.need.messages.Note(b.Len()); over && cap(c.topic) > 8*most+1024 {
		c.topic, c.arrival, c.flags, c.end, o.acks = nil, nil, nil, nil, nil
	}
	if most, over := o.need.data.Note(len(b.Data)); over && cap(c.data) > 8*most+1024 {
		c.data = nil
	}
}

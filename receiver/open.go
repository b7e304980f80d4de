package receiver

import (
	"bytes"
	"strings"

	"edged/internal/topic"

	"edged"
)

const (
	maxBlockBytes    = 1 << 20 // a block is cut early when it holds as much
	maxBlockMessages = 1 << 16
)

// openBlock gathers messages into columns. It is reused: only the columns themselves go with the block.
type openBlock struct {
	b       *edged.Block
	topics  map[string]uint32   // of this block
	names   topic.Cache[string] // topic names seen lately, so that a topic is copied once and not once a block
	acks    []ackRef
	ackers  []acking
	named   int // bytes of this block's topics and extras
	hint    int // messages in the last block
	hintLen int // and bytes
}

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
	if o.topics == nil {
		o.topics = map[string]uint32{}
	}
	clear(o.topics)
	o.named = 0
	n := o.hint + o.hint/4 + 4
	o.b = &edged.Block{
		Receiver: receiver, Cut: edged.Instant{Epoch: epoch},
		Topic: make([]uint32, 0, n), Arrival: make([]int64, 0, n), Flags: make([]uint8, 0, n), End: make([]uint32, 0, n),
		Data: make([]byte, 0, o.hintLen+o.hintLen/4+64),
	}
}

// add appends a copy of a message.
func (o *openBlock) add(m *edged.Message, wall int64) {
	b := o.b
	t, ok := o.topics[m.Topic]
	if !ok {
		t = uint32(len(b.Topics))
		name := o.intern(m.Topic)
		b.Topics = append(b.Topics, name)
		o.topics[name] = t
		o.named += len(name)
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

func (o *openBlock) intern(name string) string {
	if known, ok := o.names.Get(name); ok {
		return known
	}
	return o.names.Put(name, func(name string) string { return name })
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
	o.hint, o.hintLen = b.Len(), len(b.Data)
	b.Topic, b.Arrival, b.Flags, b.End, b.Data = fit(b.Topic), fit(b.Arrival), fit(b.Flags), fit(b.End), fit(b.Data)
	b.Topics = fit(b.Topics)
	acks, ackers := o.acks, o.ackers
	o.b, o.acks, o.ackers = nil, make([]ackRef, 0, len(acks)), nil
	return b, acks, ackers
}

// fit gives back what was reserved and not used, if it is much: a block stays in the store's cache, which counts what it holds, and a small
// one often follows a large one.
func fit[T any](s []T) []T {
	if cap(s) <= len(s)+len(s)/2+8 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

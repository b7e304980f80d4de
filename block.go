package edged

// Block holds the messages of one receiver in at most one block interval, column by column. A topic is spelled once, in
// Topics; a message is an index into it. Once cut, a block is immutable and shared: nobody writes to its slices, and
// strings made from Data may outlive it.
//
// A block of a chained stream holds rows that it gave: its Receiver is the stream's name (docs/adr/0019-chains.md).
type Block struct {
	Seq      uint64 // its position in the block log; given by the store, never reused
	Receiver string
	Cut      Instant // every later arrival of this receiver is at or after Cut, every one in the block, unless it is a stream's, at or before
	Trusted  bool    // the wall clock was known to be synchronised when the block was cut

	Topics []string // in order of first appearance; they can share one memory: who keeps one for long clones it

	// One element a message.
	Topic   []uint32 // index into Topics
	Arrival []int64  // wall nanoseconds in epoch Cut.Epoch, never decreasing
	Flags   []uint8  // QoSMask | FlagRetain
	End     []uint32 // end of the payload in Data; it starts where the one before ends

	Data    []byte
	Origins []BlockOrigin // QoS 2 messages only, by ascending Index
	Extras  []BlockExtra  // of kept messages that have one, by ascending Index
}

// BlockOrigin is the Origin of the message at Index.
type BlockOrigin struct {
	Index uint32
	Origin
}

// BlockExtra is the Extra of the message at Index.
type BlockExtra struct {
	Index uint32
	Data  []byte
}

// Bits of Block.Flags.
const (
	QoSMask    = 0b0011
	FlagRetain = 0b0100
	FlagKept   = 0b1000 // MQTT sessions read it from here
)

// Len is the number of messages.
func (b *Block) Len() int { return len(b.Topic) }

// TopicOf is the topic of message i.
func (b *Block) TopicOf(i int) string { return b.Topics[b.Topic[i]] }

// Payload is the payload of message i; it belongs to the block.
func (b *Block) Payload(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = b.End[i-1]
	}
	return b.Data[from:b.End[i]:b.End[i]]
}

// QoS is the quality of service of message i.
func (b *Block) QoS(i int) byte { return b.Flags[i] & QoSMask }

// Retain reports whether message i was to be retained.
func (b *Block) Retain(i int) bool { return b.Flags[i]&FlagRetain != 0 }

// Kept reports whether MQTT sessions read message i from this block.
func (b *Block) Kept(i int) bool { return b.Flags[i]&FlagKept != 0 }

// Size is the memory that the block holds, in bytes, roughly.
func (b *Block) Size() int64 {
	n := int64(len(b.Data)) + 17*int64(len(b.Topic)) + 200
	for _, t := range b.Topics {
		n += int64(len(t)) + 16
	}
	for _, x := range b.Extras {
		n += int64(len(x.Data)) + 32
	}
	return n
}

package edged

// Source is a receiver's block generator, as the committer sees it.
//
// Cut closes the open block, if it holds anything, and hands over blocks that wait, oldest first, as long as their sizes
// (Block.Size) fit into limit bytes together; the rest stays. It must not block. A block handed over belongs to the store.
type Source interface {
	Cut(limit int64) Handover
}

// Handover is what one Cut gives.
type Handover struct {
	Parcels []Parcel
	// At is a time, taken under the open block's lock, before which no message of the receiver that is not handed over by
	// now has arrived. An empty cut queues behind the blocks: if some stay, At is the cut of the last one handed over.
	At Instant
	// Left is the size of the blocks that stay, in bytes: there was no room for them.
	Left int64
	// Rejected is the number of messages refused since the source was made.
	Rejected uint64
}

// Parcel is a block on its way into the store. Done is called once: with nil when the block is on disk, else with what
// keeps it off. It must not block.
type Parcel struct {
	Block *Block
	Done  func(error)
}

// Rider is a consumer that has something to say in every commit: a stream.
//
// Ride adds what the consumer would move if a commit happens anyway, and nothing if that is nothing but ticks. It must not
// block. If the commit fails, what it added is lost, and it is asked again.
//
// Waits says at which moment of its receivers' time an open window of the consumer closes.
type Rider interface {
	Ride(u *Update)
	Waits() (Wait, bool)
}

// Giver is a rider that may put blocks of its own into the log, with its updates: a stream that others can take from.
//
// Gives returns the receiver of those blocks, and a moment before which no row that is not committed by now will arrive; false if it gives
// nothing, the zero Instant if it knows of no such moment yet. It never goes back. Reach says what a tick must say so that Gives comes to a moment, if no
// row comes; false if nothing can be said. Whoever asks waits for it: the giver hurries when there is such a tick.
type Giver interface {
	Rider
	Gives() (receiver string, at Instant, ok bool)
	Reach(at Instant) (Wait, bool)
}

// Wait is satisfied by a tick in which every one of Receivers has a cut at or after Until.
type Wait struct {
	Receivers []string
	Until     Instant
}

// Satisfied reports whether every receiver of w has a cut at or after w.Until in the tick.
func (w Wait) Satisfied(t *Tick) bool {
	if t == nil {
		return false
	}
	for _, name := range w.Receivers {
		at, ok := t.Cut(name)
		if !ok || at.Before(w.Until) {
			return false
		}
	}
	return true
}

// Router counts, for the ledger, the messages of a block that each stream takes. It is called by the committer only.
type Router interface {
	// Streams are the streams that it counts for. The totals of others are dropped: nobody goes on with them.
	Streams() []string
	Count(b *Block, add func(stream string, messages uint64))
}

package receiver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"edged"
)

// Store is what a generator needs of the block store.
type Store interface {
	Waiting()                        // a publisher waits for an acknowledgement, or many bytes wait
	Hurry()                          // a publisher stands still until it is acknowledged
	Flush(ctx context.Context) error // commit what waits now
}

// Clock stamps arrivals.
type Clock interface{ Now() edged.Instant }

// Admission says what may be taken in. A delivery with when_full = "block" that has reached its max_pending closes the way
// for what it needs.
type Admission interface {
	// Closed returns nil if messages of this topic are let in, else a channel that is closed when it is worth asking again.
	Closed(receiver, topic string) <-chan struct{}
}

// Options make a Generator.
type Options struct {
	Name      string
	Block     Block
	MaxRate   float64       // messages a second; 0 is no bound
	MinRate   float64       // that Report comes to at the least, messages a second
	Batch     time.Duration // batch interval: what Report judges by
	Memory    bool          // storage = "memory": acknowledged on receipt
	Split     string        // "lines", or ""
	Clock     Clock
	Trusted   func() bool // whether the wall clock is synchronised
	Store     Store
	Admission Admission
	Log       *slog.Logger
}

// Generator cuts what its receiver brings into blocks (Spark: BlockGenerator). It is the receiver's Handler and the store's
// Source. The committer cuts the open block before every commit, so that no message waits for an interval and a commit both; Run cuts it
// when the committer has not for an interval.
type Generator struct {
	o        Options
	pace     *pace
	pressure pressure
	poked    chan struct{} // Run has something to look at before its interval is over

	mu       sync.Mutex
	state    State
	open     openBlock
	queue    []edged.Parcel
	queued   int64         // bytes in queue
	flying   int64         // bytes that the store has taken and not yet told of
	room     chan struct{} // closed and replaced when the queue gets shorter or the state changes
	at       edged.Instant // of the last cut handed over
	asked    time.Time     // when the committer cut last
	told     bool          // the store knows that something waits in the open block
	begun    uint64        // blocks so far, the open one among them
	handed   uint64        // of them, those that the committer has taken
	look     int64         // when Run looks whether a publisher stands still, wall ns; 0: none can
	waits    waiters
	instant  []ackRefOf // storage = "memory": to be acknowledged by Run
	received uint64
	rejected uint64
	unstored int // messages taken and not yet told
}

// New makes a generator in state Initialized.
func New(o Options) *Generator {
	g := &Generator{o: o, room: make(chan struct{}), poked: make(chan struct{}, 1), pace: newPace(o.maxRate())}
	g.pressure.by = map[string]*consumer{}
	return g
}

// Take implements edged.Handler.
func (g *Generator) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	if err := g.admit(ctx, m.Topic); err != nil {
		return err
	}
	now := g.begin()
	g.add(m, ack, token, now.Wall)
	g.mu.Unlock()
	return nil
}

// TakeReady implements edged.BatchHandler. What came together has one arrival.
func (g *Generator) TakeReady(ms []edged.Message, ack edged.Acker, first uint64) (n int) {
	if g.pace.bounded.Load() {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for now := g.o.Clock.Now(); n < len(ms) && g.roomy() && g.o.Admission.Closed(g.o.Name, ms[n].Topic) == nil; n++ {
		g.beginAt(now, 1)
		g.add(&ms[n], ack, first+uint64(n), now.Wall)
	}
	return n
}

// roomy reports whether there is room for a message. What is being stored takes room, too, until it is told of: a commit holds its blocks once more as
// they are encoded, and once more in the library's pages. The lock is held.
func (g *Generator) roomy() bool {
	return g.state == Active && len(g.queue) < g.o.Block.Queue && g.bytes() < int64(g.o.Block.QueueBytes)
}

// bytes is what waits: in the open block, in the queue and in the store's hands. The lock is held.
func (g *Generator) bytes() int64 { return g.open.bytes() + g.queued + g.flying }

// admit waits until a message of a topic may be taken: max_rate, room, deliveries. It returns with the lock; with an error without it.
func (g *Generator) admit(ctx context.Context, topic string) error {
	if err := g.pace.wait(ctx); err != nil {
		return g.reject(ctx)
	}
	g.mu.Lock()
	for {
		var wait <-chan struct{}
		changed := g.room
		if g.roomy() {
			if wait = g.o.Admission.Closed(g.o.Name, topic); wait == nil {
				return nil
			}
		}
		if g.state > Active {
			g.mu.Unlock()
			return edged.ErrStopped
		}
		g.mu.Unlock()
		select {
		case <-wait: // nil unless a delivery is what is full
		case <-changed:
		case <-ctx.Done():
			return g.reject(ctx)
		}
		g.mu.Lock()
	}
}

// begin makes sure that there is an open block with room for what arrives now. The arrival is stamped here, under the block's
// lock, so that arrivals in a block never decrease and a cut's time is after all of them.
func (g *Generator) begin() (now edged.Instant) { return g.beginWith(1) }

// beginWith is begin for n messages that belong together, maxBlockMessages at most.
func (g *Generator) beginWith(n int) (now edged.Instant) {
	now = g.o.Clock.Now()
	g.beginAt(now, n)
	return now
}

// beginAt is beginWith at an instant that the clock gave under this hold of the lock.
func (g *Generator) beginAt(now edged.Instant, n int) {
	if g.open.b != nil && (g.open.b.Cut.Epoch != now.Epoch || g.open.bytes() >= maxBlockBytes || g.open.len()+n > maxBlockMessages) {
		g.cut(now)
	}
	if g.open.b == nil {
		g.begun++
		g.open.begin(g.o.Name, now.Epoch)
	}
}

// add puts a message into the open block.
func (g *Generator) add(m *edged.Message, ack edged.Acker, token uint64, wall int64) {
	g.open.add(m, wall)
	g.received++
	g.unstored++
	if waits := ack != nil && g.expect(ack, token, wall); !waits && g.open.bytes() < wakeBytes {
		return
	}
	if !g.told {
		g.told = true
		g.o.Store.Waiting()
	}
}

// wakeBytes in the open block are worth a commit even if nobody waits for an acknowledgement.
const wakeBytes = 256 << 10

// cut closes the open block into the queue.
func (g *Generator) cut(now edged.Instant) {
	if g.open.b == nil {
		return
	}
	b, acks, ackers := g.open.cut(now, g.o.Trusted())
	g.queue = append(g.queue, edged.Parcel{Block: b, Done: func(err error) { g.done(b, acks, ackers, err) }})
	g.queued += b.Size()
	g.told = false
}

// Cut implements edged.Source: it is called by the committer.
func (g *Generator) Cut(limit int64) edged.Handover {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == Initialized {
		return edged.Handover{}
	}
	now := g.o.Clock.Now()
	g.cut(now)
	g.asked = time.Now()
	n := 0
	for ; n < len(g.queue); n++ {
		b := g.queue[n].Block
		size := b.Size()
		if limit -= size; limit < 0 {
			break
		}
		g.queued -= size
		g.flying += size
		g.at = b.Cut
	}
	g.handed += uint64(n)
	h := edged.Handover{Parcels: g.queue[:n:n], Rejected: g.rejected}
	if g.queue = g.queue[n:]; len(g.queue) == 0 {
		g.queue = nil
		if g.at.Before(now) {
			g.at = now
		}
	}
	h.At, h.Left = g.at, g.queued
	if n > 0 {
		g.signal()
	}
	return h
}

// signal wakes every Take that waits for room. The lock is held.
func (g *Generator) signal() {
	close(g.room)
	g.room = make(chan struct{})
}

func (g *Generator) reject(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state > Active {
		return edged.ErrStopped
	}
	g.received++
	g.rejected++
	return fmt.Errorf("receiver %s: %w (%w)", g.o.Name, edged.ErrFull, context.Cause(ctx))
}

// Status is what is shown of a generator.
type Status struct {
	State    string `json:"state"`
	Received uint64 `json:"received"`      // since start
	Rejected uint64 `json:"rejected"`      // since start
	Waiting  int    `json:"waiting"`       // messages taken whose block is not stored yet
	Queue    int    `json:"queue"`         // blocks that wait
	Bytes    int64  `json:"waiting_bytes"` // in the open block, in the queue, and being stored
}

// Status returns the present state.
func (g *Generator) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Status{g.state.String(), g.received, g.rejected, g.unstored, len(g.queue), g.bytes()}
}

// State returns where the generator is in its life.
func (g *Generator) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// Run cuts the open block when nobody else has for an interval, until ctx ends, then stops in Spark's order: no more adding, the last cut, every
// block stored. Blocks that the store cannot take by then go back unacknowledged: their publishers keep them.
func (g *Generator) Run(ctx context.Context) error {
	g.to(Active)
	tick := time.NewTicker(g.o.Block.Interval.D())
	defer tick.Stop()
	look := time.NewTimer(time.Hour)
	defer look.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			g.tick()
		case <-g.poked:
			g.tellInstant()
			if d, ok := g.untilLook(); ok {
				look.Reset(d)
			}
		case <-look.C:
			g.hurryForStanding()
			if d, ok := g.untilLook(); ok {
				look.Reset(d)
			}
		}
	}
	return g.stop()
}

// tick is the timer's cut. If the committer has cut meanwhile, it will again: of one block there would be two in a commit. With a full queue the block stays open:
// nothing is added to it, so it gets no longer.
func (g *Generator) tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.asked) >= g.o.Block.Interval.D() && len(g.queue) < g.o.Block.Queue {
		g.cut(g.o.Clock.Now())
	}
}

func (g *Generator) to(s State) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = s
	g.signal()
}

// stopWithin bounds the wait for the store when the generator stops.
const stopWithin = 2 * time.Second

func (g *Generator) stop() error {
	g.to(StoppedAddingData)
	g.pace.set(math.Inf(1)) // who waits by it is told
	g.mu.Lock()
	g.cut(g.o.Clock.Now())
	g.mu.Unlock()
	g.to(StoppedGeneratingBlocks)
	g.tellInstant()
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := g.o.Store.Flush(ctx)
	g.mu.Lock()
	left, n := g.queue, 0
	g.queue, g.queued, g.flying = nil, 0, g.flying+g.queued
	g.mu.Unlock()
	for _, p := range left {
		n += p.Block.Len()
		p.Done(edged.ErrStopped)
	}
	g.to(StoppedAll)
	if n > 0 {
		g.o.Log.Warn("messages could not be stored before the stop: they are not acknowledged, and come again from publishers with QoS 1 and 2",
			"receiver", g.o.Name, "messages", n, "reason", cmp.Or(err, edged.ErrFull))
	}
	return nil
}

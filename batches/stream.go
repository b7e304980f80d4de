package batches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"edged"
)

// Options make a Stream.
type Options struct {
	Config     *StreamConfig
	Plan       *Plan
	Store      Store
	Log        *slog.Logger
	Interval   time.Duration // batch interval
	Checkpoint time.Duration
	Report     func(Report) // of every step that took or gave something; nil: nobody asks
	Chained    bool         // other streams take from it
	Unread     bool         // no sink reads it
	Sound      *Sound       // of all streams of the gateway; nil: each finds out for itself
	Anew       bool         // the committer has begun to count for the stream while it ran: nothing that it counted before holds
}

// Stream runs one plan: it consumes the block log from its cursor. Run owns it; Ride, Waits, Status and its feeds may be
// used by others at any time.
type Stream struct {
	o    Options
	name string

	// Run's own.
	p      *Plan
	r      *rowReader
	wm     *watermark
	st     state // nil for a stateless stream
	held   *held // nil without a join of two streams
	in     arrived
	rec    record
	out    output
	saved  time.Time // the last checkpoint
	whole  bool      // every payload of the entry that is applied was decoded
	behind bool      // an update was given up at the stop: memory is ahead of the disk for good, and nothing more may be committed
	since  int64     // bytes of blocks since then

	unreadable []string // keys of the checkpoint that cannot be read: the next one deletes them

	saidFull bool   // that there are too many groups
	saidHeld bool   // that the join holds too many rows
	saidLost bool   // that rows behind the join cannot be taken
	lost     uint64 // rows behind a join that there was no room for
	report   reporter

	mu        sync.Mutex // guards the rest
	ready     bool
	shown     record // what may ride with a commit: everything up to it was given and committed
	resumed   uint64 // rows that it had given when it opened
	dirty     bool   // shown is not committed yet
	at        uint64 // how far the stream is: ahead of shown by ticks, which are not worth a commit
	inFlight  bool   // a commit of this stream is under way: nothing rides
	waits     edged.Wait
	isWaiting bool
	defs      definitions
	groups    int
	types     *rowReader    // it counts values that are not of their column's type
	join      *JoinStatus   // nil without a join
	level     edged.Instant // the watermark
	own       edged.Spans   // blocks of a chained stream that it has not passed itself
	cut       edged.Instant // of a chained stream: everything that it gives before is committed
	clock     watermark     // as of the last step
	asked     edged.Wait    // what a stream that takes from it waits for: see Reach
	isAsked   bool
	sound     edged.Spans // see isSound
	round     time.Time
	problem   string
	watchers  map[*feed]func() // to be woken when there is more to deliver
}

// New makes a stream; Run starts it.
func New(o Options) *Stream {
	return &Stream{o: o, name: o.Config.Name, p: o.Plan, watchers: map[*feed]func(){}, round: time.Now()}
}

// Name is the stream's name.
func (s *Stream) Name() string { return s.name }

// Run opens the stream where the store says it was, and takes a step every batch interval, when a window that is open has ended, and when much
// waits. When ctx ends it takes a last step, saves its windows, and returns.
func (s *Stream) Run(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	defer s.tells()()
	tick := time.NewTicker(s.o.Interval)
	defer tick.Stop()
	looked := time.Time{}
	for changed := s.o.Store.Changed(); ctx.Err() == nil && !s.behind; {
		end := uint64(edged.Forever)
		select {
		case <-ctx.Done():
			continue
		case <-tick.C:
			if s.follows() { // the others have the same tick
				pause(ctx, lookEvery)
			}
		case <-changed:
			pause(ctx, time.Until(looked.Add(lookEvery)))
			looked, changed = time.Now(), s.o.Store.Changed() // before the look: what comes from here on is seen by the next
			if to, much := s.worthTo(); !s.awaited() && !s.isWanted() {
				if !much {
					continue
				}
				end = to
			}
		}
		if err := s.stepTo(ctx, end); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if s.behind {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastStep)
	defer cancel()
	if err := s.step(last); err != nil {
		return fmt.Errorf("stream %s: the last step: %w", s.name, err)
	}
	return s.checkpoint(last)
}

// lookEvery is how often a stream looks at most whether a commit wants a step: a store whose publishers wait for it makes thousands a second, and to wake
// every stream with each takes longer than the commit's own work.
const lookEvery = 10 * time.Millisecond

// lastStep bounds the step at the stop.
const lastStep = 3 * time.Second

// awaited reports whether the time that an open window waits for has come.
func (s *Stream) awaited() bool {
	w, ok := s.Waits()
	return ok && w.Satisfied(s.o.Store.LastTick())
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pending is how much of the log waits before an entry, in bytes of the file.
func (s *Stream) pending(end uint64) int64 {
	return s.o.Store.Pending("", edged.Spans{{From: s.rec.applied, To: max(end, s.rec.applied)}})
}

const (
	muchBytes       = 2 << 20  // of log, see worthTo: a part of the store's memory_cache (16 MiB)
	stepBytes       = 8 << 20  // blocks taken before what they gave is committed
	stepResults     = 2000     // results, blocks of a chained stream and dead letters, likewise: one commit is not to hold publishers up
	stepGiven       = 1 << 20  // bytes of those blocks, likewise: they have a part of the store's reserve
	checkpointBytes = 32 << 20 // of blocks, after which the state is saved whatever the time
)

// step takes everything up to the present end of the log.
func (s *Stream) step(ctx context.Context) error { return s.stepTo(ctx, edged.Forever) }

// stepTo takes everything up to an entry, or up to the present end of the log if that is before.
func (s *Stream) stepTo(ctx context.Context, end uint64) error {
	s.beginReport()
	end = min(end, s.o.Store.End())
	for s.rec.applied < end {
		blocks, err := s.take(end)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, blocks); err != nil {
			return err
		}
	}
	if s.st != nil && s.rec.checkpoint < s.rec.applied && s.since > 0 && (time.Since(s.saved) >= s.o.Checkpoint || s.since >= checkpointBytes) {
		if err := s.checkpoint(ctx); err != nil {
			return err
		}
	}
	s.show(false)
	s.sayTypes()
	s.endReport()
	return nil
}

// take applies entries until end, or until there is enough to commit. It reports whether there were blocks among them.
func (s *Stream) take(end uint64) (blocks bool, err error) {
	size := int64(0)
	if s.st == nil {
		defer func() { s.rec.checkpoint = s.rec.applied }() // there is no state to save: nothing behind it is needed
	}
	for s.rec.applied < end && size < stepBytes && s.out.hasRoom() {
		e, ok, err := s.o.Store.Next(s.rec.applied)
		if err != nil {
			return blocks, err
		}
		if !ok || e.Seq >= end {
			s.rec.applied = end
			break
		}
		if e.Block != nil {
			blocks = true
			size += e.Block.Size()
			s.since += e.Block.Size()
			s.countBlock(e.Block)
		}
		s.applySound(&e)
		s.rec.applied = e.Seq + 1
	}
	s.stepEnd()
	return blocks, nil
}

// settle commits what a run of entries gave. If it gave nothing, its counts ride with a commit that happens anyway; if it
// was nothing but ticks, not even that.
func (s *Stream) settle(ctx context.Context, blocks bool) error {
	given := s.out.chain.take()
	if len(s.out.results)+len(given) == 0 {
		s.show(blocks || s.rec.Counts != s.shown.Counts)
		return nil
	}
	u := &edged.Update{Results: s.out.results, Blocks: given}
	s.out.results = nil
	if s.st != nil && s.st.empty() && s.held.empty() {
		s.addCheckpoint(u)
	}
	u.Cursors = []edged.Cursor{s.cursor()}
	if s.out.tooLate != nil {
		s.out.tooLate.side.count(u)
	}
	return s.commit(ctx, u, nil)
}

// commit commits an update that moves the cursor to s.rec. While the store has no room it tries again: the state is ahead
// of the disk, and must not go on without it. It does not let go of an update that the store has, whatever ctx says; one that
// is refused is tried once more when ctx has ended, and then given up: the next start does that part of the log again.
func (s *Stream) commit(ctx context.Context, u *edged.Update, defs *definitions) error {
	s.mu.Lock()
	s.inFlight = true
	s.mu.Unlock()
	for last := false; ; {
		err := s.o.Store.Commit(context.WithoutCancel(ctx), u, false)
		if err == nil {
			break
		}
		s.fault("its results cannot be stored yet: " + err.Error())
		if ctx.Err() != nil {
			if last {
				s.behind = true // and inFlight for good: nothing rides
				s.o.Log.Warn("what the stream computed last could not be stored before the stop; the next start computes it again", "stream", s.name, "error", err)
				return err
			}
			last = true
		}
		s.came()
		select {
		case <-ctx.Done():
			time.Sleep(stopRetry)
		case <-time.After(time.Second):
		}
	}
	s.mu.Lock()
	s.inFlight = false
	for _, b := range u.Blocks {
		s.own = s.own.Add(b.Seq, b.Seq+1)
	}
	s.mu.Unlock()
	if defs != nil {
		s.mu.Lock()
		s.defs = *defs
		s.mu.Unlock()
	}
	s.fault("")
	s.show(true)
	return nil
}

// stopRetry is how long a refused update waits for its last try at the stop.
const stopRetry = 500 * time.Millisecond

func (s *Stream) came() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round = time.Now()
}

// fault says once what keeps the stream, and once that it is over.
func (s *Stream) fault(problem string) {
	s.mu.Lock()
	before := s.problem
	s.problem = problem
	s.mu.Unlock()
	switch {
	case problem != "" && before == "":
		s.o.Log.Warn("the stream waits", "stream", s.name, "reason", problem)
	case problem == "" && before != "":
		s.o.Log.Info("the stream goes on", "stream", s.name)
	}
}

// show lets others see where the stream is. moved says that its cursor has something to say.
func (s *Stream) show(moved bool) {
	wait, waiting := s.nextWait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if moved {
		s.shown, s.dirty = s.rec, true
	}
	s.waits, s.isWaiting = wait, waiting
	s.groups, s.level, s.round, s.ready, s.at = 0, s.downstream(), time.Now(), true, s.rec.applied
	s.types, s.join = s.r, s.joinStatus()
	s.clock, s.isAsked = *s.wm, false
	if s.out.chain != nil {
		s.cut = later(s.cut, s.over())
	}
	if s.st != nil {
		s.groups = s.st.count()
	}
	if s.r != nil && s.r.mem != nil {
		s.groups += len(s.r.mem.keys)
	}
	if s.held != nil {
		s.groups += len(s.held.byKey)
	}
	for _, wake := range s.watchers {
		wake()
	}
}

// nextWait is the time that the next open window waits for.
func (s *Stream) nextWait() (edged.Wait, bool) {
	if s.st == nil {
		return edged.Wait{}, false
	}
	end, ok := s.st.awaits()
	if s.held != nil {
		end, ok = s.joinAwaits(end, ok)
	}
	if ok {
		end, ok = s.wm.reach(end)
	}
	return edged.Wait{Receivers: s.p.from, Until: end}, ok
}

// Ride implements edged.Rider.
func (s *Stream) Ride(u *edged.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty || s.inFlight {
		return
	}
	c := s.without(s.shown.cursor(s.name))
	if now, ok := s.o.Store.Cursor(c.Name); ok && bytes.Equal(now.Data, c.Data) && slices.Equal(now.Need, c.Need) {
		s.dirty = false
		return
	}
	u.Cursors = append(u.Cursors, c)
}

// Waits implements edged.Rider.
func (s *Stream) Waits() (edged.Wait, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waits, s.isWaiting
}

var errNotOpen = errors.New("the stream is not open yet")

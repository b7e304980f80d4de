package receiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/internal/clock"
	"edged/internal/conf"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a committer whose test says when it commits.
type store struct {
	src     edged.Source
	waiting atomic.Int32
	hurried atomic.Int32
	blocks  []*edged.Block
	full    bool
}

func (s *store) Waiting() { s.waiting.Add(1) }
func (s *store) Hurry()   { s.hurried.Add(1) }
func (s *store) Flush(context.Context) error {
	s.commit(nil)
	return nil
}

func (s *store) commit(err error) edged.Handover {
	limit := int64(1 << 40)
	if s.full {
		limit = 0
	}
	h := s.src.Cut(limit)
	for _, p := range h.Parcels {
		if err == nil {
			s.blocks = append(s.blocks, p.Block)
		}
		p.Done(err)
	}
	return h
}

// acker notes what it is told.
type acker struct {
	mu      sync.Mutex
	tokens  []uint64
	errs    []error
	flushes int
}

func (a *acker) Acked(token uint64, _ edged.Pos, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens, a.errs = append(a.tokens, token), append(a.errs, err)
}
func (a *acker) Flush() { a.mu.Lock(); a.flushes++; a.mu.Unlock() }

// gate admits everything but one topic.
type gate struct {
	mu     sync.Mutex
	closed string
	ch     chan struct{}
}

func (g *gate) Closed(_, topic string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if topic == g.closed {
		return g.ch
	}
	return nil
}

func setup(change func(*Options)) (*Generator, *store) {
	s := &store{}
	o := Options{
		Log:  slog.New(slog.DiscardHandler),
		Name: "r", Block: *DefaultBlock(), Clock: clock.New(edged.Instant{}), Trusted: func() bool { return true }, Store: s,
		Admission: &gate{},
	}
	if change != nil {
		change(&o)
	}
	g := New(o)
	s.src = g
	return g, s
}

// run starts the generator, calls f, and stops it.
func run(t *testing.T, g *Generator, f func()) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- g.Run(ctx) }()
	synctest.Wait()
	f()
	cancel()
	return <-ran
}

func take(t testing.TB, g *Generator, topic, payload string, ack edged.Acker, token uint64) {
	t.Helper()
	if err := g.Take(context.Background(), &edged.Message{Topic: topic, Payload: []byte(payload), QoS: 1}, ack, token); err != nil {
		t.Fatal(err)
	}
}

func TestAcksFollowTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		a, b := &acker{}, &acker{}
		run(t, g, func() {
			for i := range 6 {
				take(t, g, "x", "p", []edged.Acker{a, b}[i%2], uint64(i))
			}
			time.Sleep(time.Second)
			if len(a.tokens)+len(b.tokens) > 0 {
				t.Fatal("acknowledged before any commit")
			}
			s.commit(nil)
			if !slices.Equal(a.tokens, []uint64{0, 2, 4}) || !slices.Equal(b.tokens, []uint64{1, 3, 5}) {
				t.Fatalf("a %v, b %v", a.tokens, b.tokens)
			}
			if a.flushes != 1 || b.flushes != 1 {
				t.Fatalf("%d and %d flushes for one commit", a.flushes, b.flushes)
			}
			take(t, g, "x", "p", a, 6)
			s.commit(errors.New("disk"))
			if a.errs[3] == nil {
				t.Fatal("a failed commit was told as a good one")
			}
		})
		if s.waiting.Load() == 0 {
			t.Error("the store was never told that a publisher waits")
		}
	})
}

func TestABlockIsCutEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			for i := range 10 {
				take(t, g, "x", fmt.Sprint(i), nil, 0)
				time.Sleep(100 * time.Millisecond)
			}
			s.commit(nil)
			if len(s.blocks) != 5 && len(s.blocks) != 6 {
				t.Fatalf("%d blocks in 1 s", len(s.blocks))
			}
			for _, b := range s.blocks {
				if d := b.Cut.Wall - b.Arrival[0]; d > int64(200*time.Millisecond) {
					t.Errorf("a block lasts %v", time.Duration(d))
				}
			}
		})
	})
}

// While commits cut more often than the timer, a commit has one block: the timer is for a store that takes too long.
func TestACommitHasOneBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			for i := range 160 {
				take(t, g, "x", fmt.Sprint(i), nil, 0)
				time.Sleep(10 * time.Millisecond)
				if i%16 == 15 {
					if h := s.commit(nil); len(h.Parcels) != 1 {
						t.Errorf("%d blocks are in a commit after 160 ms", len(h.Parcels))
					}
				}
			}
			for i := range 60 {
				take(t, g, "x", fmt.Sprint(i), nil, 0)
				time.Sleep(10 * time.Millisecond)
			}
			if h := s.commit(nil); len(h.Parcels) < 2 {
				t.Errorf("%d blocks are in a commit after 600 ms", len(h.Parcels))
			}
		})
	})
}

func TestACutHandsOverWhatArrivedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			take(t, g, "x", "1", nil, 0)
			time.Sleep(time.Millisecond)
			h := s.commit(nil)
			if b := s.blocks[0]; h.At.Before(b.Cut) || b.Cut.Wall < b.Arrival[0] {
				t.Fatalf("cut %v, at %v, arrival %d", b.Cut, h.At, b.Arrival[0])
			}
			time.Sleep(time.Second)
			if h := s.commit(nil); h.At.Wall != time.Now().UnixNano() || len(h.Parcels) != 0 {
				t.Fatalf("an empty cut does not move time on: %+v", h)
			}
			// A block that stays holds time back at the one before it.
			take(t, g, "x", "2", nil, 0)
			s.full = true
			before := s.commit(nil).At
			time.Sleep(time.Second)
			if h := s.commit(nil); h.At != before || h.At.Wall > s.queued(g).Arrival[0] {
				t.Fatalf("time passed a block that is not stored: %+v", h)
			}
			s.full = false
		})
	})
}

func (s *store) queued(g *Generator) *edged.Block { return g.queue[0].Block }

func TestAFullQueueBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(func(o *Options) { o.Block.Queue = 3 })
		run(t, g, func() {
			s.full = true
			var taken atomic.Int32
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() {
				for {
					if err := g.Take(ctx, &edged.Message{Topic: "x"}, nil, 0); err != nil {
						done <- err
						return
					}
					taken.Add(1)
					time.Sleep(50 * time.Millisecond)
				}
			}()
			time.Sleep(time.Minute)
			at := taken.Load()
			time.Sleep(time.Minute)
			if at != taken.Load() || at > 20 || at < 3 {
				t.Fatalf("%d, then %d messages taken while the store is full", at, taken.Load())
			}
			s.full = false
			s.commit(nil)
			time.Sleep(time.Second)
			if taken.Load() == at {
				t.Fatal("it does not resume")
			}
			s.full = true
			time.Sleep(time.Minute)
			cancel()
			if err := <-done; !errors.Is(err, edged.ErrFull) {
				t.Fatal(err)
			}
			if st := g.Status(); st.Rejected != 1 || st.Received != uint64(taken.Load())+1 {
				t.Fatalf("%+v, %d taken", st, taken.Load())
			}
			s.full = false
		})
	})
}

// What the store has taken and not told of yet is held, too: all together are bounded, and Take goes on when the store tells of some of it.
func TestWhatIsBeingStoredTakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1 << 20
		g, _ := setup(func(o *Options) { o.Block.QueueBytes = most })
		var flying []edged.Parcel
		held := int64(0)
		cut := func() {
			for _, p := range g.Cut(1 << 40).Parcels {
				flying, held = append(flying, p), held+p.Block.Size()
			}
		}
		run(t, g, func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var taken atomic.Int32
			go func() {
				for g.Take(ctx, &edged.Message{Topic: "x", Payload: make([]byte, 10<<10)}, nil, 0) == nil {
					taken.Add(1)
				}
			}()
			for range 20 {
				synctest.Wait()
				cut()
				if g.Status().Bytes > most+11<<10 || held > most+11<<10 {
					t.Fatalf("the generator holds %d bytes, and the store %d of them", g.Status().Bytes, held)
				}
				before := taken.Load()
				time.Sleep(time.Second)
				if synctest.Wait(); taken.Load() != before {
					t.Fatal("more is taken although nothing was stored")
				}
				if len(flying) == 0 {
					t.Fatal("nothing was handed over")
				}
				held -= flying[0].Block.Size()
				flying[0].Done(nil)
				flying = flying[1:]
				if synctest.Wait(); taken.Load() == before {
					t.Fatal("nothing is taken although something was stored")
				}
			}
			cancel()
			synctest.Wait()
			cut()
			for _, p := range flying {
				p.Done(nil)
			}
			if b := g.Status().Bytes; b != 0 {
				t.Errorf("%d bytes are counted when everything is stored", b)
			}
		})
	})
}

func TestBytesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(func(o *Options) { o.Block.QueueBytes = conf.Size(1 << 20) })
		run(t, g, func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			payload := make([]byte, 100<<10)
			n := 0
			for g.Take(ctx, &edged.Message{Topic: "x", Payload: payload}, nil, 0) == nil {
				n++
			}
			if n < 8 || n > 12 {
				t.Fatalf("%d messages of 100 KiB in 1 MiB", n)
			}
			_ = s
		})
	})
}

func TestAdmissionClosesOneTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := &gate{closed: "dead", ch: make(chan struct{})}
		g, _ := setup(func(o *Options) { o.Admission = way })
		run(t, g, func() {
			done := make(chan error, 1)
			go func() { done <- g.Take(context.Background(), &edged.Message{Topic: "dead"}, nil, 0) }()
			synctest.Wait()
			take(t, g, "alive", "", nil, 0)
			select {
			case err := <-done:
				t.Fatal("let in: ", err)
			default:
			}
			way.mu.Lock()
			way.closed = ""
			close(way.ch)
			way.mu.Unlock()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestTheRateIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(func(o *Options) { o.MaxRate = 100 })
		run(t, g, func() {
			began := time.Now()
			for range 520 {
				take(t, g, "x", "", nil, 0)
				if g.Status().Queue > 5 {
					s.commit(nil)
				}
			}
			if d := time.Since(began); d < 4900*time.Millisecond || d > 5100*time.Millisecond {
				t.Fatalf("520 messages at 100/s with a burst of 20 took %v", d)
			}
		})
	})
}

func TestAStandingPublisherHurriesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			lone := &acker{}
			take(t, g, "x", "", lone, 0)
			time.Sleep(100 * time.Millisecond)
			if s.hurried.Load() > 0 {
				t.Fatal("a lone reading hurries the store")
			}
			many := &acker{}
			for i := range 12 {
				take(t, g, "x", "", many, uint64(i))
			}
			synctest.Wait()
			if s.hurried.Load() > 0 {
				t.Fatal("hurried while the publisher may still be sending")
			}
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			if s.hurried.Load() == 0 {
				t.Fatal("a publisher stands still and nobody hurries")
			}
			s.commit(nil)
			if len(g.waits.of) != 0 {
				t.Fatalf("%d ackers are remembered after everything was told", len(g.waits.of))
			}
		})
	})
}

// One that stands still is seen beside others that go on sending.
func TestAStandingPublisherIsSeenBesideOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			for range 6 { // milliseconds
				other := &acker{}
				for i := range 12 {
					take(t, g, "x", "", other, uint64(i))
				}
				time.Sleep(time.Millisecond)
			}
			if s.hurried.Load() == 0 {
				t.Error("the first one stands still, and nobody hurries")
			}
			s.commit(nil)
		})
	})
}

// Nobody stands still for what is being stored: another commit would be none for it.
func TestWhatIsBeingStoredHurriesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			many := &acker{}
			for i := range 12 {
				take(t, g, "x", "", many, uint64(i))
			}
			taken := g.Cut(1 << 40)
			time.Sleep(50 * time.Millisecond)
			if n := s.hurried.Load(); n > 0 {
				t.Errorf("hurried %d times", n)
			}
			take(t, g, "x", "", many, 12)
			time.Sleep(50 * time.Millisecond)
			if s.hurried.Load() == 0 {
				t.Error("it waits for the next commit, and nobody hurries")
			}
			for _, p := range taken.Parcels {
				p.Done(nil)
			}
			s.commit(nil)
		})
	})
}

// A publisher that sends at a pace is not one that stands still, however many of its messages wait, until it has ended.
func TestAPaceIsNoStandingStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			steady := &acker{}
			for i := range 40 {
				take(t, g, "x", "", steady, uint64(i))
				time.Sleep(10 * time.Millisecond)
			}
			if n := s.hurried.Load(); n > 0 {
				t.Fatalf("hurried %d times for a publisher that goes on", n)
			}
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			if s.hurried.Load() == 0 {
				t.Fatal("it stands still, and nobody hurries")
			}
			s.commit(nil)
		})
	})
}

// Nor is one whose messages are read a few at a time. One that sends many at once has no pace, whatever it did before.
func TestAFewTogetherAreAPace(t *testing.T) {
	for phase := range 20 { // milliseconds since the latest of a few
		synctest.Test(t, func(t *testing.T) {
			g, s := setup(nil)
			run(t, g, func() {
				publisher := &acker{}
				n := uint64(0)
				send := func(count int) {
					for range count {
						take(t, g, "x", "", publisher, n)
						n++
					}
				}
				for range 10 {
					send(4)
					time.Sleep(20 * time.Millisecond)
				}
				if n := s.hurried.Load(); n > 0 {
					t.Errorf("hurried %d times for a publisher that goes on", n)
				}
				send(4)
				time.Sleep(time.Duration(phase) * time.Millisecond)
				send(20)
				time.Sleep(10 * time.Millisecond)
				synctest.Wait()
				if s.hurried.Load() == 0 {
					t.Errorf("it stands still %d ms behind its pace, and nobody hurries", phase)
				}
				s.commit(nil)
			})
		})
	}
}

func TestMemoryAcknowledgesOnReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(func(o *Options) { o.Memory = true })
		a := &acker{}
		run(t, g, func() {
			for i := range 5 {
				take(t, g, "x", "", a, uint64(i))
			}
			synctest.Wait()
			if !slices.Equal(a.tokens, []uint64{0, 1, 2, 3, 4}) || a.flushes == 0 {
				t.Fatalf("told %v", a.tokens)
			}
			s.commit(nil)
		})
		if len(a.tokens) != 5 {
			t.Fatalf("told twice: %v", a.tokens)
		}
	})
}

func TestStopDrainsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		a := &acker{}
		if g.State() != Initialized {
			t.Fatal(g.State())
		}
		err := run(t, g, func() {
			if g.State() != Active {
				t.Fatal(g.State())
			}
			take(t, g, "x", "last", a, 7)
		})
		if err != nil || g.State() != StoppedAll {
			t.Fatal(err, g.State())
		}
		if len(s.blocks) != 1 || !slices.Equal(a.tokens, []uint64{7}) {
			t.Fatalf("%d blocks, told %v", len(s.blocks), a.tokens)
		}
		if err := g.Take(context.Background(), &edged.Message{}, nil, 0); !errors.Is(err, edged.ErrStopped) {
			t.Fatalf("taken after the stop: %v", err)
		}
	})
}

func TestStopGivesBackWhatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		a := &acker{}
		err := run(t, g, func() {
			s.full = true
			take(t, g, "x", "last", a, 7)
		})
		if err != nil || len(a.errs) != 1 || !errors.Is(a.errs[0], edged.ErrStopped) {
			t.Fatalf("%v, told %v", err, a.errs)
		}
	})
}

// steps is a clock whose test says the time.
type steps struct{ at edged.Instant }

func (s *steps) Now() edged.Instant { return s.at }

func TestABlockHoldsOneEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &steps{edged.Instant{Epoch: 0, Wall: 5000}}
		g, s := setup(func(o *Options) { o.Clock = c })
		run(t, g, func() {
			take(t, g, "x", "a", nil, 0)
			c.at = edged.Instant{Epoch: 1, Wall: 100}
			take(t, g, "x", "b", nil, 0)
			s.commit(nil)
			if len(s.blocks) != 2 || s.blocks[0].Cut != (edged.Instant{Wall: 5000}) || s.blocks[1].Cut.Epoch != 1 {
				t.Fatalf("%+v", s.blocks)
			}
		})
	})
}

func TestTakeDoesNotAllocate(t *testing.T) {
	g, s := setup(nil)
	g.to(Active)
	a := &acker{}
	m := &edged.Message{Topic: "site/1/gpio/2", Payload: []byte(`{"value":21.5}`), QoS: 1}
	ctx := context.Background()
	const n = 2000
	round := func() {
		for i := range n {
			g.Take(ctx, m, a, uint64(i))
		}
		s.commit(nil)
		s.blocks, a.tokens, a.errs = nil, a.tokens[:0], a.errs[:0]
	}
	round()
	if per := testing.AllocsPerRun(20, round) / n; per > 0.02 {
		t.Fatalf("%.3f allocations a message", per)
	}
}

func BenchmarkTake(b *testing.B) {
	g, s := setup(func(o *Options) { o.Block.Queue = 1 << 20; o.Block.QueueBytes = 1 << 40 })
	g.to(Active)
	acks := make([]*acker, 50)
	for i := range acks {
		acks[i] = &acker{}
	}
	m := &edged.Message{Topic: "site/1/gpio/2", Payload: make([]byte, 66), QoS: 1}
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.Take(ctx, m, acks[i/20%50], uint64(i))
		if i%5000 == 0 {
			s.commit(nil)
			s.blocks = nil
			for _, a := range acks {
				a.tokens, a.errs = a.tokens[:0], a.errs[:0]
			}
		}
	}
}

// A Take that waits for a full delivery ends when the generator stops.
func TestAStopFreesWhoWaitsForADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := setup(func(o *Options) { o.Admission = &gate{closed: "dead", ch: make(chan struct{})} })
		taken := make(chan error, 1)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		run(t, g, func() {
			go func() { taken <- g.Take(ctx, &edged.Message{Topic: "dead"}, nil, 0) }()
			synctest.Wait()
		})
		if err := <-taken; !errors.Is(err, edged.ErrStopped) || time.Until(deadline(ctx)) < 59*time.Minute {
			t.Error(err)
		}
	})
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/file"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// A sink with drop_oldest, added to a stream that has output, whose endpoint is away until max_pending is reached: when it
// comes back, rows must flow again.
func TestDropOldestAcrossTheBirth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		f.grow(20) // the log that is there when the sink is added
		down := true
		sink := &logSink{}
		sink.before = func(turn []edged.Delivery) (int, error) {
			if down {
				return 0, errors.New("connection refused")
			}
			return len(turn), nil
		}
		s := spec1("s", f)
		s.WhenFull, s.MaxPending = "drop_oldest", 200 // bytes: 20 entries
		w := newWriter(m, sink, spec.Limits{Rows: 5, Bytes: 1 << 20}, s)
		run(t, w, func() {
			for i := range uint64(100) {
				f.grow(20 + i)
				nap(time.Second)
			}
			down = false
			for i := range uint64(100) {
				f.grow(120 + i)
				nap(10 * time.Second)
			}
		})
		r := m.record(t, "s", "sink")
		if r.At.Seq != f.End().Seq {
			st, h := w.Status()
			t.Fatalf("the sink is up for 1000 s, and the delivery stands at %v of %v (young=%v)\n%+v %+v", r.At, f.End(), r.Young, st, h)
		}
	})
}

// slowStore makes a commit durable 200 ms after it was submitted, as the real one at the base cadence does, and keeps to
// Commit's contract when ctx ends first.
type slowStore struct {
	*memStore
	wg sync.WaitGroup
}

func (s *slowStore) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	ch := make(chan error, 1)
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		time.Sleep(200 * time.Millisecond)
		ch <- s.memStore.Commit(context.Background(), u, soon)
	}()
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// At a stop under load, too, ranges and receipts are committed before the next byte is written.
func TestRangesComeFirstAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &slowStore{memStore: newMemStore()}
		f := newNumbers(m.memStore, "s")
		f.grow(100)
		ctx, cancel := context.WithCancel(context.Background())
		sink := &logSink{}
		writes := 0
		sink.before = func(turn []edged.Delivery) (int, error) {
			writes++
			committed := m.turn("sink").Turn
			for i, d := range turn {
				if i >= len(committed) || key("uuid", "sink", committed[i]) != d.Key {
					t.Errorf("write %d: %s is written, committed are %v", writes, d.Key, committed)
				}
			}
			if writes == 1 {
				time.Sleep(50 * time.Millisecond) // a write takes its time …
				f.grow(200)
				cancel() // … and SIGTERM comes meanwhile
			}
			return len(turn), nil
		}
		w := New(Options{Name: "sink", Sink: sink, Encoding: "enc", Limits: spec.Limits{Rows: 500, Bytes: 1 << 20}, Deliveries: []DeliverySpec{spec1("s", f)}, Store: m, Interval: time.Second, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()})
		_ = w.Run(ctx)
		m.wg.Wait()
	})
}

// sparse is a feed like a stream whose where keeps few rows of a long log: a reading ends after so many entries, rows or
// none.
type sparse struct {
	*numbers
}

func (n *sparse) Read(from, until edged.Place, l edged.Limits) (edged.Reading, error) {
	stop := n.End().Pos
	if until != (edged.Place{}) && until.Before(stop) {
		stop = until.Pos
	}
	r := edged.Reading{From: from, To: from, Like: "like", Rows: &edged.Rows{Stream: n.stream, Names: []string{"x"}}}
	for gone := 0; r.To.Before(stop); gone++ {
		if gone == 10 { // readBytes
			r.More = true
			return r, nil
		}
		if r.To.Seq%30 < 3 { // entries with one row
			r.Rows.At = append(r.Rows.At, r.To.Pos)
			r.Rows.Cells = append(r.Rows.Cells, edged.TextValue(r.To.Pos.String()))
		}
		r.To.Pos = edged.Pos{Seq: r.To.Seq + 1}
	}
	return r, nil
}

// A committed turn comes back after a kill as it was committed.
func TestATurnOfASparseStreamComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := &sparse{newNumbers(m, "s")}
		f.grow(200)
		first := map[string]bool{}
		var order []string
		sink := &logSink{}
		ctx, cancel := context.WithCancel(context.Background())
		var snap map[string]edged.Cursor
		sink.before = func(turn []edged.Delivery) (int, error) {
			if snap == nil {
				snap = map[string]edged.Cursor{}
				for k, v := range m.cursors {
					snap[k] = v
				}
				for _, d := range turn {
					first[d.Key] = true
					order = append(order, d.Key)
				}
				cancel()
			}
			return len(turn), nil
		}
		w := newWriter(m, sink, spec.Limits{Rows: 5, Bytes: 1 << 20}, DeliverySpec{Stream: "s", Feed: f, Start: "oldest", MaxPending: 1 << 40, WhenFull: "block"})
		_ = w.Run(ctx)
		// kill -9 while the first turn was being written: the server has taken all of it, the commit did not happen
		m.cursors = snap
		var rec sinkRecord
		_ = json.Unmarshal(snap[sinkCursor("sink")].Data, &rec)
		second := &logSink{}
		w = newWriter(m, second, spec.Limits{Rows: 5, Bytes: 1 << 20}, DeliverySpec{Stream: "s", Feed: f, Start: "oldest", MaxPending: 1 << 40, WhenFull: "block"})
		run(t, w, func() { nap(5 * time.Second) })
		if len(second.redone) != len(order) {
			t.Errorf("%d deliveries were committed before the kill, %d are known after it", len(order), len(second.redone))
		}
		for _, k := range second.keys {
			if !first[k] {
				t.Errorf("rows of the committed turn come again under the new key %s", k)
			}
		}
	})
}

// closed is a sink that cannot be opened yet.
type closed struct{ logSink }

func (c *closed) Open(context.Context, []byte, []edged.Delivery) error {
	return errors.New("cannot open: read-only file system")
}

// A delivery must hold the log from its first day, also if its sink cannot be opened yet.
func TestALogIsHeldBeforeTheFirstOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		w := newWriter(m, &closed{}, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() {
			for i := range uint64(50) {
				f.grow(i + 1)
				var u edged.Update
				w.Ride(&u)
				_ = m.Commit(context.Background(), &u, false)
				nap(time.Minute)
			}
			if _, ok := m.Cursor(edged.DeliveryCursor("s", "sink")); !ok {
				t.Errorf("after 50 minutes the delivery has no cursor: nothing holds the log for it")
			}
		})
	})
}

// killed stands before the file sink: its first full write happens, its commit does not.
type killed struct {
	edged.Sink
	after func(turn []edged.Delivery) bool
}

func (k *killed) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	done, r, err := k.Sink.Write(ctx, turn)
	if done == len(turn) && k.after(turn) {
		return 0, nil, errors.New("killed")
	}
	return done, r, err
}

// The same with the real file sink: each row once in its files.
func TestAFileOfASparseStreamHoldsEachRowOnce(t *testing.T) {
	dir := t.TempDir()
	m := newMemStore()
	f := &sparse{newNumbers(m, "s")}
	f.grow(200)
	newFile := func() edged.Sink {
		return (&file.Config{Path: "out.ndjson", Format: "ndjson", Compress: "none"}).New(spec.Env{Name: "sink", DataDir: dir, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()})
	}
	d := DeliverySpec{Stream: "s", Feed: f, Start: "oldest", MaxPending: 1 << 40, WhenFull: "block"}
	limits := spec.Limits{Rows: 50000, Bytes: 4 << 20}
	ctx, cancel := context.WithCancel(context.Background())
	var snap map[string]edged.Cursor
	w := newWriter(m, &killed{newFile(), func([]edged.Delivery) bool {
		if snap != nil {
			return false
		}
		snap = map[string]edged.Cursor{}
		for k, v := range m.cursors {
			snap[k] = v
		}
		cancel()
		return true
	}}, limits, d)
	_ = w.Run(ctx)
	m.cursors = snap // kill -9 after the sync, before the commit
	ctx, cancel = context.WithCancel(context.Background())
	w = newWriter(m, newFile(), limits, d)
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	for c, _ := m.Cursor(edged.DeliveryCursor("s", "sink")); c.Need[0].From < 200; c, _ = m.Cursor(edged.DeliveryCursor("s", "sink")) {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-ran
	names, _ := filepath.Glob(filepath.Join(dir, "out*"))
	n := 0
	for _, name := range names {
		b, _ := os.ReadFile(name)
		n += bytes.Count(b, []byte("\n"))
	}
	if n != 20 {
		t.Errorf("%d lines in the files, 20 rows", n)
	}
}

// Of a range that was under way when rows of it were lost, the others are delivered: not under its key, where they would be other
// bytes. What is lost is counted, and nothing else.
func TestARangeThatLostRowsGoesUnderOtherKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		f.grow(20)
		down := &logSink{before: func([]edged.Delivery) (int, error) { return 0, errors.New("connection refused") }}
		w := newWriter(m, down, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() { nap(time.Second) })
		turn := m.turn("sink").Turn
		if len(turn) == 0 {
			t.Fatal("no turn is committed")
		}
		turn[0].Rows += 2 // as it was before two rows were lost
		rec := sinkRecord{Turn: turn}
		m.cursors[sinkCursor("sink")] = rec.cursor("sink")
		lost := key("uuid", "sink", turn[0])
		up := &logSink{}
		w = newWriter(m, up, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() { nap(5 * time.Second) })
		for _, k := range up.keys {
			if k == lost {
				t.Errorf("%s was sent with other bytes", k)
			}
		}
		if r := m.record(t, "s", "sink"); r.Damaged != 2 || r.Delivered != f.Produced() || r.At.place() != f.End() {
			t.Errorf("%+v, produced %d", r, f.Produced())
		}
	})
}

// shut is the feed of a stream that does not open.
type shut struct {
	*numbers
	open atomic.Bool
}

func (s *shut) End() edged.Place {
	if !s.open.Load() {
		return edged.Place{}
	}
	return s.numbers.End()
}

// A stream that cannot open holds back itself only; its delivery begins when it opens.
func TestAStreamThatIsNotOpenHoldsBackItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		good, bad := newNumbers(m, "good"), &shut{numbers: newNumbers(m, "bad")}
		sink := &logSink{}
		w := newWriter(m, sink, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("good", good),
			DeliverySpec{Stream: "bad", Feed: bad, Start: "oldest", MaxPending: 1 << 40, WhenFull: "block"})
		run(t, w, func() {
			good.grow(20)
			bad.grow(20)
			nap(10 * time.Second)
			if r := m.record(t, "good", "sink"); r.At.place() != good.End() {
				t.Errorf("the other stream waits too: %+v", r)
			}
			bad.open.Store(true)
			nap(10 * time.Second)
			if r := m.record(t, "bad", "sink"); r.At.place() != bad.End() {
				t.Errorf("it has opened, and its delivery stands at %+v", r)
			}
		})
	})
}

// hung is a sink whose writes end only when they are given up.
type hung struct{ logSink }

func (h *hung) Write(ctx context.Context, _ []edged.Delivery) (int, []byte, error) {
	<-ctx.Done()
	return 0, nil, ctx.Err()
}

// forbidden is a sink that is configured wrongly.
type forbidden struct{ logSink }

func (f *forbidden) Write(context.Context, []edged.Delivery) (int, []byte, error) {
	return 0, nil, edged.WithClass(errors.New("401"), edged.Permanent)
}

// A stream that opens while its sink holds for a minute, or hangs, has its log held from then on, not from when the sink comes round.
func TestALogIsHeldWhileTheSinkIsIll(t *testing.T) {
	for name, sink := range map[string]edged.Sink{"holds": &forbidden{}, "hangs": &hung{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemStore()
				good, late := newNumbers(m, "good"), &shut{numbers: newNumbers(m, "late")}
				w := newWriter(m, sink, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("good", good),
					DeliverySpec{Stream: "late", Feed: late, Start: "oldest", MaxPending: 1 << 40, WhenFull: "block"})
				run(t, w, func() {
					good.grow(20)
					nap(5 * time.Second)
					late.grow(20)
					late.open.Store(true)
					nap(5 * time.Second)
					if _, ok := m.Cursor(edged.DeliveryCursor("late", "sink")); !ok {
						t.Error("the stream has been open for five seconds, and nothing holds the log for its delivery")
					}
				})
			})
		})
	}
}

// refusing is a store that has no room for a while. It counts how deep in one commit another one is made.
type refusing struct {
	*memStore
	full    atomic.Bool
	commits atomic.Int64
}

func (r *refusing) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	if r.commits.Add(1); r.full.Load() {
		return errors.New("no room")
	}
	return r.memStore.Commit(ctx, u, soon)
}

// While the store refuses a commit no other one is made in between: it would be tried before it, and the older one would be the last.
func TestCommitsKeepTheirOrderWhenTheStoreIsFull(t *testing.T) {
	for name, open := range map[string]time.Duration{"a stream opens": 0, "max_pending is reached": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &refusing{memStore: newMemStore()}
				good, late := newNumbers(m.memStore, "good"), &shut{numbers: newNumbers(m.memStore, "late")}
				w := New(Options{
					Name: "sink", Sink: &forbidden{}, Encoding: "enc", Limits: spec.Limits{Rows: 5, Bytes: 1 << 20}, Store: m, Interval: 100 * time.Millisecond,
					Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(),
					Deliveries: []DeliverySpec{spec1("good", good), {Stream: "late", Feed: late, Start: "oldest", MaxPending: 200, WhenFull: "drop_oldest"}},
				})
				run(t, w, func() {
					nap(2 * time.Second)
					if open > 0 {
						late.open.Store(true)
						nap(open)
					}
					good.grow(5)
					m.full.Store(true)
					late.open.Store(true)
					for i := range uint64(60) {
						late.grow(20 + 5*i)
						nap(time.Second)
					}
					m.full.Store(false)
					m.commits.Store(0)
					nap(3 * time.Second)
					if n := m.commits.Load(); n > 10 {
						t.Errorf("%d commits when there was room again", n)
					}
					disk := m.record(t, "late", "sink")
					nap(time.Minute)
					if again := m.record(t, "late", "sink"); again.At.Seq < disk.At.Seq || again.Dropped < disk.Dropped || again.Dropped == 0 {
						t.Errorf("on disk %+v, then %+v", disk, again)
					}
				})
			})
		})
	}
}

// A sink that is away does not hold what is not for it, and gets the rest when it is back.
func TestEntriesForOthersAreLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s.replay")
		var up atomic.Bool
		sink := &logSink{before: func(turn []edged.Delivery) (int, error) {
			if !up.Load() {
				return 0, errors.New("down")
			}
			return len(turn), nil
		}}
		s := spec1("s.replay", f)
		s.Seldom = true
		w := newWriter(m, sink, spec.Limits{Rows: 1, Bytes: 1 << 20}, s)
		run(t, w, func() {
			f.grow(200)
			nap(20 * time.Second)
			held := w.deliveries[0].rec.cursor("x").Need
			for seq := uint64(4 * 30); seq < 200; seq += 4 {
				if next, ok := held.Next(seq); ok && next == seq {
					t.Errorf("entry %d has no row for it, and is held: %v", seq, held)
				}
			}
			up.Store(true)
			nap(5 * time.Minute)
			if r := m.record(t, "s.replay", "sink"); r.At.place() != f.End() || r.Delivered != f.Produced() {
				t.Errorf("it is back, and stands at %+v of %v, %d rows", r, f.End(), f.Produced())
			}
		})
	})
}

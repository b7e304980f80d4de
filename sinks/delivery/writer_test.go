package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
	"pgregory.net/rapid"
)

func newWriter(m *memStore, sink edged.Sink, limits spec.Limits, ds ...DeliverySpec) *Writer {
	return New(Options{Name: "sink", Sink: sink, Encoding: "enc", Limits: limits, Deliveries: ds, Store: m, Interval: time.Second, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()})
}

func spec1(stream string, f edged.Feed) DeliverySpec {
	return DeliverySpec{Stream: stream, Feed: f, Start: "oldest", MaxPending: 1 << 40, WhenFull: "block"}
}

// run runs a writer until f returns.
func run(t *testing.T, w *Writer, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	synctest.Wait()
	f()
	cancel()
	if err := <-ran; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// nap lets time pass, and everything that it brings about happen.
func nap(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestRangesComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		sink := &logSink{}
		sink.before = func(turn []edged.Delivery) (int, error) {
			committed := m.turn("sink").Turn
			for i, d := range turn {
				if i >= len(committed) || key("uuid", "sink", committed[i]) != d.Key {
					t.Errorf("%s is written, committed are %v", d.Key, committed)
				}
			}
			return len(turn), nil
		}
		w := newWriter(m, sink, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() {
			for i := range uint64(50) {
				f.grow(i + 1)
				nap(time.Second)
			}
		})
		r := m.record(t, "s", "sink")
		if r.Delivered != f.Produced() || r.At.Seq != 50 || len(m.turn("sink").Turn) != 0 {
			t.Fatalf("%+v of %d produced", r, f.Produced())
		}
		st, health := w.Status()
		if !st[0].Balanced || st[0].Pending != 0 || health.State != "ok" {
			t.Errorf("%+v %+v", st, health)
		}
	})
}

// Only a sink with a backlog has commits come before the cadence (docs/adr/0004-when-to-commit.md): one whose next turn takes all there is has none, although
// rows came while it wrote.
func TestOnlyABacklogHurriesTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		each uint64        // entries that come while a turn is written
		slow time.Duration // that it takes
		want bool
	}{"none": {4, 0, false}, "backlog": {4000, 0, true}, "none, of a slow sink": {4, 2 * time.Second, false}, "backlog of a slow sink": {400, 2 * time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemStore()
				f := newNumbers(m, "s")
				end, turns := uint64(1), 0
				sink := &logSink{}
				sink.before = func(turn []edged.Delivery) (int, error) {
					time.Sleep(c.slow)
					if turns++; turns < 20 {
						end += c.each
						f.grow(end)
					}
					return len(turn), nil
				}
				o := newWriter(m, sink, spec.Limits{Rows: 10, Bytes: 1 << 20}, spec1("s", f)).o
				o.Report = func(Report) {} // a sink that slows receivers has turns of its own length
				w := New(o)
				run(t, w, func() {
					end += c.each
					f.grow(end)
					nap(time.Hour)
					if r := m.record(t, "s", "sink"); turns < 20 || r.At.Seq != end || r.Delivered != f.Produced() {
						t.Errorf("%d turns, %+v of %d", turns, r, f.Produced())
					}
					if soon := m.soon > 0; soon != c.want {
						t.Errorf("%d of the commits of %d turns were asked for before the cadence", m.soon, turns)
					}
				})
			})
		})
	}
}

// Random limits, errors, kills and restarts: every key has one content for ever, what is delivered is complete, in order,
// and counted.
func TestKeysAreStable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bubble(t, func() {
			t := rt
			m := newMemStore()
			feeds := []*numbers{newNumbers(m, "a"), newNumbers(m, "b")}
			contents := map[string][]string{}
			poison := map[string]bool{}
			got := map[string][]string{} // by stream, each row once
			seen := map[string]bool{}
			for life := range rapid.IntRange(1, 5).Draw(t, "lives") {
				sink := &logSink{}
				killed := false
				lives := rapid.IntRange(1, 12).Draw(t, "writes")
				sink.before = func(turn []edged.Delivery) (int, error) {
					for _, d := range turn {
						rows := texts(d.Rows)
						if c, ok := contents[d.Key]; ok && !slices.Equal(c, rows) {
							t.Fatalf("key %s had %v and has %v", d.Key, c, rows)
						}
						contents[d.Key] = rows
						if len(rows) == 0 {
							t.Fatal("an empty delivery")
						}
					}
					if lives--; lives <= 0 {
						killed = true
						return rapid.IntRange(0, len(turn)).Draw(t, "done before the kill"), errors.New("killed")
					}
					n := rapid.IntRange(0, len(turn)).Draw(t, "done")
					for i, d := range turn[:n] {
						if slices.ContainsFunc(texts(d.Rows), func(row string) bool { return strings.HasSuffix(row, "7.1") }) {
							n = i
						}
					}
					for _, d := range turn[:n] {
						for _, row := range texts(d.Rows) {
							if id := d.Rows.Stream + row; !seen[id] {
								seen[id] = true
								got[d.Rows.Stream] = append(got[d.Rows.Stream], row)
							} else {
								t.Fatalf("%s was confirmed twice", id)
							}
						}
					}
					if n < len(turn) && slices.ContainsFunc(texts(turn[n].Rows), func(row string) bool { return strings.HasSuffix(row, "7.1") }) {
						if len(texts(turn[n].Rows)) == 1 {
							poison[turn[n].Rows.Stream+texts(turn[n].Rows)[0]] = true
						}
						return n, edged.WithClass(errors.New("422"), edged.Poison)
					}
					if n < len(turn) {
						return n, rapid.SampledFrom([]error{nil, errors.New("down"), edged.RetryAfter(errors.New("429"), 5*time.Second)}).Draw(t, "error")
					}
					return n, nil
				}
				w := newWriter(m, sink, spec.Limits{Rows: rapid.IntRange(1, 6).Draw(t, "rows"), Bytes: 1 << 20}, spec1("a", feeds[0]), spec1("b", feeds[1]))
				if err := w.openFirst(); err != nil {
					t.Fatal(err)
				}
				for cycle := 0; cycle < 60 && !killed; cycle++ {
					f := feeds[cycle%2]
					f.grow(f.End().Seq + rapid.Uint64Range(0, 2).Draw(t, "grow"))
					before := snapshot(m)
					err := w.cycle(context.Background(), false)
					if killed { // nothing of what followed the kill was committed
						m.cursors = before
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				_ = life
			}
			// In the end everything arrives.
			sink := &logSink{}
			sink.before = func(turn []edged.Delivery) (int, error) {
				for _, d := range turn {
					rows := texts(d.Rows)
					if c, ok := contents[d.Key]; ok && !slices.Equal(c, rows) {
						t.Fatalf("key %s had %v and has %v", d.Key, c, rows)
					}
					for _, row := range rows {
						if id := d.Rows.Stream + row; !seen[id] {
							seen[id] = true
							got[d.Rows.Stream] = append(got[d.Rows.Stream], row)
						}
					}
				}
				return len(turn), nil
			}
			w := newWriter(m, sink, spec.Limits{Rows: 100, Bytes: 1 << 20}, spec1("a", feeds[0]), spec1("b", feeds[1]))
			if err := w.openFirst(); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				if err := w.cycle(context.Background(), true); err != nil {
					t.Fatal(err)
				}
			}
			for i, stream := range []string{"a", "b"} {
				all, _ := feeds[i].Read(edged.Place{Pos: edged.Pos{Seq: 1}}, edged.Place{}, edged.Limits{Rows: 1 << 20})
				want := slices.DeleteFunc(texts(all.Rows), func(row string) bool { return poison[stream+row] })
				if !slices.Equal(got[stream], want) {
					t.Fatalf("stream %s: got %v, want %v", stream, got[stream], want)
				}
				d := w.find(stream)
				if d.rec.passed() != feeds[i].Produced() {
					t.Fatalf("stream %s: %+v of %d produced", stream, d.rec.Counts, feeds[i].Produced())
				}
			}
			if m.letters != len(poison) {
				t.Fatalf("%d dead letters for %d poisonous rows", m.letters, len(poison))
			}
		})
	})
}

// bubble runs one rapid check in a bubble of synctest. A failed check is a panic, which must leave the bubble first.
func bubble(t *testing.T, f func()) {
	var failed any
	synctest.Test(t, func(*testing.T) {
		defer func() { failed = recover() }()
		f()
	})
	if failed != nil {
		panic(failed)
	}
}

func snapshot(m *memStore) map[string]edged.Cursor {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]edged.Cursor{}
	for k, v := range m.cursors {
		out[k] = v
	}
	return out
}

func TestDropping(t *testing.T) {
	for _, whenFull := range []string{"drop_oldest", "drop_newest"} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemStore()
			f := newNumbers(m, "s")
			sink := &logSink{}
			var up atomic.Bool
			sink.before = func(turn []edged.Delivery) (int, error) {
				if !up.Load() {
					return 0, errors.New("down")
				}
				return len(turn), nil
			}
			d := spec1("s", f)
			d.WhenFull, d.MaxPending = whenFull, 1000 // 100 entries
			w := newWriter(m, sink, spec.Limits{Rows: 3, Bytes: 1 << 20}, d)
			run(t, w, func() {
				for i := range uint64(500) {
					f.grow(i + 1)
					nap(time.Second)
				}
				st, _ := w.Status()
				if st[0].PendingBytes > 1100 {
					t.Errorf("%s: %d bytes pending of 1000", whenFull, st[0].PendingBytes)
				}
				up.Store(true)
				nap(5 * time.Minute)
			})
			var got []string
			for _, k := range sink.keys {
				got = append(got, sink.byKey[k]...)
			}
			all, _ := f.Read(edged.Place{Pos: edged.Pos{Seq: 1}}, edged.Place{}, edged.Limits{Rows: 1 << 20})
			rows := texts(all.Rows)
			r := m.record(t, "s", "sink")
			if r.Dropped == 0 || r.Delivered != uint64(len(got)) || r.Delivered+r.Dropped != uint64(len(rows)) {
				t.Fatalf("%s: %+v, %d arrived of %d", whenFull, r.Counts, len(got), len(rows))
			}
			if !isSubsequence(got, rows) {
				t.Fatalf("%s: out of order or doubled: %v", whenFull, got)
			}
			first, last := slices.Index(rows, got[len(got)/2]), len(rows)
			switch whenFull {
			case "drop_oldest":
				if got[len(got)-1] != rows[last-1] {
					t.Error("the newest row is missing")
				}
			default:
				if first > last/2 {
					t.Error("the oldest rows are missing")
				}
			}
			if st, _ := w.Status(); !st[0].Balanced {
				t.Errorf("%s: %+v", whenFull, st)
			}
		})
	}
}

func isSubsequence(part, whole []string) bool {
	for _, p := range part {
		i := slices.Index(whole, p)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

func TestADeliveryWaitsForItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		sink := &logSink{}
		w := newWriter(m, sink, spec.Limits{Rows: 4, Bytes: 1 << 20, Age: 10 * time.Second}, spec1("s", f))
		run(t, w, func() {
			f.grow(4) // entries 1, 2, 3: six rows
			nap(9 * time.Second)
			if got := sink.sizes(); !slices.Equal(got, []int{4}) {
				t.Fatalf("full deliveries leave at once, the rest waits: %v", got)
			}
			nap(3 * time.Second)
			if got := sink.sizes(); !slices.Equal(got, []int{4, 2}) {
				t.Fatalf("the rest is due: %v", got)
			}
		})
	})
}

func TestAFullLimitIsCountedAndPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		sink := &logSink{before: func([]edged.Delivery) (int, error) { return 0, edged.WithClass(errors.New("full"), edged.Limit) }}
		w := newWriter(m, sink, spec.Limits{Rows: 4, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() {
			f.grow(20)
			nap(5 * time.Second)
		})
		if r := m.record(t, "s", "sink"); r.Dropped != f.Produced() || r.At.Seq != 20 {
			t.Fatalf("%+v", r)
		}
	})
}

func TestWhatIsMissingAtRestIsCountedAsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := &lossy{newNumbers(m, "s")}
		w := newWriter(m, &logSink{}, spec.Limits{Rows: 4, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() {
			f.grow(20)
			nap(5 * time.Second)
		})
		st, _ := w.Status()
		if st[0].Damaged != 2 || !st[0].Balanced || st[0].Pending != 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// lossy is a feed whose stream produced two rows more than can be read.
type lossy struct{ *numbers }

func (l *lossy) Produced() uint64 {
	if l.End().Seq > 10 {
		return l.numbers.Produced() + 2
	}
	return l.numbers.Produced()
}

func TestAFailedSinkIsOpenedAgainWithItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		fails := 3
		sink := &logSink{}
		sink.before = func(turn []edged.Delivery) (int, error) {
			if fails--; fails >= 0 {
				return 0, errors.New("EIO")
			}
			return len(turn), nil
		}
		w := newWriter(m, sink, spec.Limits{Rows: 100, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() {
			f.grow(8)
			nap(time.Minute)
		})
		if sink.opens != 4 || len(sink.redone) != 1 || sink.redone[0].Key != sink.keys[0] {
			t.Fatalf("%d opens, redo %v, written %v", sink.opens, sink.redone, sink.keys)
		}
	})
}

// A sink that cannot write because the gateway itself stops is no outage: nothing is said of it, and its rows stay.
func TestAStopOfTheGatewayIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		sink := &logSink{before: func([]edged.Delivery) (int, error) { return 0, fmt.Errorf("published to nobody: %w", edged.ErrStopped) }}
		w := newWriter(m, sink, spec.Limits{Rows: 100, Bytes: 1 << 20}, spec1("s", f))
		log := &await.Log{}
		w.o.Log = slog.New(slog.NewTextHandler(log, nil))
		run(t, w, func() {
			f.grow(8)
			nap(3 * time.Second)
			if _, h := w.Status(); h.Problem != "" {
				t.Errorf("%+v", h)
			}
		})
		if r := m.record(t, "s", "sink"); log.String() != "" || r.Delivered != 0 || sink.opens < 3 {
			t.Errorf("%d opens, %+v\n%s", sink.opens, r, log)
		}
	})
}

func TestTheGateClosesWhatAFullDeliveryNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		m.ends[""] = 100
		ctx := context.Background()
		at := func(seq uint64) {
			r := record{At: place{Seq: seq}, Max: 500}
			m.Commit(ctx, &edged.Update{Cursors: []edged.Cursor{r.cursor("delivery/s/sink")}}, false)
		}
		at(1)
		gone := record{At: place{Seq: 1}, Max: 500}
		m.Commit(ctx, &edged.Update{Cursors: []edged.Cursor{gone.cursor("delivery/old/sink")}}, false)
		g := NewGate(GateOptions{
			Store: m, Blocking: []Blocking{{"s", "sink", 500}}, Known: []string{"delivery/s/sink"}, OrphanMax: 500,
			Takes: func(stream, _, topic string) bool { return stream == "s" && topic == "t" }, Log: slog.New(slog.DiscardHandler), Resolution: 100 * time.Millisecond,
		})
		ctx, cancel := context.WithCancel(ctx)
		ran := make(chan error, 1)
		go func() { ran <- g.Run(ctx) }()
		nap(time.Second)
		ch := g.Closed("r", "t")
		if ch == nil || g.Closed("r", "other") != nil {
			t.Fatal("closed: ", g.Blocked())
		}
		if _, ok := m.Cursor("delivery/old/sink"); ok {
			t.Fatal("a removed delivery holds back more than its max_pending")
		}
		at(80)
		select {
		case <-ch:
		case <-time.After(time.Second):
			t.Fatal("nobody says that it is open again")
		}
		if g.Closed("r", "t") != nil {
			t.Fatal("still closed")
		}
		at(1) // and now another configuration: it does not block any more, and what was removed is known again
		nap(time.Second)
		if ch = g.Closed("r", "t"); ch == nil {
			t.Fatal("open")
		}
		g.Change(nil, []string{"delivery/s/sink", "delivery/old/sink"})
		<-ch
		if g.Closed("r", "t") != nil {
			t.Fatal("closed by what is not configured any more")
		}
		m.Commit(ctx, &edged.Update{Cursors: []edged.Cursor{gone.cursor("delivery/old/sink")}}, false)
		nap(time.Second)
		if _, ok := m.Cursor("delivery/old/sink"); !ok {
			t.Fatal("a delivery that came again was given up")
		}
		cancel()
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
	})
}

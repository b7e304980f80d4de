package batches

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/internal/conf"
)

func rawConfig() *StreamConfig {
	c := DefaultStream()
	c.Name, c.From, c.Topics = "pins", []string{"a"}, []string{"site/+/gpio/+"}
	c.Sinks = []string{"x"}
	return c
}

func feedBlock(m *memStore, at int64, payload string) {
	m.addBlock(blockOf("a", edged.Instant{Wall: at}, msg{"site/1/gpio/1", payload, at}))
	m.addTick("a", edged.Instant{Wall: at})
}

// A stateless stream must release the log behind it.
func TestAStatelessStreamReleasesTheLog(t *testing.T) {
	c := rawConfig()
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for i := int64(1); i < 100; i++ {
		feedBlock(m, 1000*sec+i*sec, `{"value":1}`)
		step(t, s)
		m.ride(s)
	}
	_ = s.checkpoint(context.Background())
	cur, _ := m.Cursor(edged.StreamCursor("pins"))
	if cur.Need[0].From < 100 {
		t.Fatalf("the stateless stream still needs everything from %d on", cur.Need[0].From)
	}
}

// Stateless → windowed with a caught-up delivery.
func TestACaughtUpDeliveryReadsOnAfterAChange(t *testing.T) {
	for _, dir := range []string{"stateless→windowed", "windowed→stateless"} {
		t.Run(dir, func(t *testing.T) {
			raw := rawConfig()
			win := pinsConfig()
			win.From = []string{"a"}
			one, two := raw, win
			if dir == "windowed→stateless" {
				one, two = win, raw
			}
			p := mustPlan(t, one)
			m := newMemStore(p)
			s := newStream(one, p, m)
			open(t, s)
			for i := int64(1); i < 30; i++ {
				feedBlock(m, 1000*sec+i*sec, `{"value":1,"kind":"x"}`)
			}
			m.addTick("a", edged.Instant{Wall: 2000 * sec}) // every window closes
			step(t, s)
			if err := s.checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
			f := s.Feed()
			at, err := f.Oldest()
			if err != nil {
				t.Fatal(err)
			}
			rows := 0
			for {
				r, err := f.Read(at, edged.Place{}, edged.Limits{Rows: 1000, Bytes: 1 << 20})
				if err != nil {
					t.Fatal(err)
				}
				if r.Rows != nil {
					rows += r.Rows.Len()
				}
				if r.To == at {
					break
				}
				at = r.To
			}
			// restart with the other definition
			p2 := mustPlan(t, two)
			m.router = NewRouter([]*Plan{p2})
			s = newStream(two, p2, m)
			open(t, s)
			if r, err := s.Feed().Read(at, edged.Place{}, edged.Limits{Rows: 1000, Bytes: 1 << 20}); err != nil {
				t.Fatalf("the caught-up delivery at %+v can read no more: %v (%+v)", at, err, r.To)
			}
		})
	}
}

// A stream given up and configured again must begin with empty windows.
func TestAForgottenStreamBeginsEmpty(t *testing.T) {
	c := pinsConfig()
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	feedBlock(m, 901*sec, `{"value":77,"kind":"old"}`)
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	delete(m.cursors, edged.StreamCursor("pins")) // Gate.giveUp / edged store forget
	m.oldest = m.End()                            // and the blocks behind it are freed
	s = newStream(c, p, m)
	open(t, s)
	feedBlock(m, 1005*sec, `{"value":1,"kind":"x"}`)
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = newStream(c, p, m) // an ordinary restart
	if err := s.open(context.Background()); err != nil {
		t.Fatalf("open after restart: %v", err)
	}
	m.addTick("a", edged.Instant{Wall: 1100 * sec})
	step(t, s)
	for _, o := range outcome(t, m) {
		t.Log(o)
	}
	n := 0.0
	for _, r := range m.results["pins"] {
		n += float64(r.Rows)
	}
	// kept state of the life before:
	if n != 1 {
		t.Errorf("%v rows, want 1: the state of the stream that was given up came back", n)
	}
}

// the same with a window of another group and another aggregate
func TestAForgottenStreamMayBeAnotherOne(t *testing.T) {
	c := pinsConfig()
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	feedBlock(m, 1001*sec, `{"value":1,"kind":"x"}`)
	step(t, s)
	_ = s.checkpoint(context.Background())
	delete(m.cursors, edged.StreamCursor("pins"))
	c2 := pinsConfig()
	c2.From = []string{"a"}
	c2.Aggregate = conf.Pairs{{Key: "n", Value: "count()"}}
	p2 := mustPlan(t, c2)
	s = newStream(c2, p2, m)
	open(t, s)
	s = newStream(c2, p2, m)
	if err := s.open(context.Background()); err != nil {
		t.Fatalf("an ordinary restart: %v", err)
	}
}

// fullStore refuses commits while full.
type fullStore struct {
	*memStore
	full atomic.Bool
}

func (f *fullStore) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	if f.full.Load() {
		return errors.New("no space left on device")
	}
	return f.memStore.Commit(ctx, u, soon)
}

// SIGTERM while the store has no room, and room again before the last step.
func TestAStopWhileTheStoreIsFullLosesNoResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pinsConfig()
		c.From = []string{"a"}
		p := mustPlan(t, c)
		m := &fullStore{memStore: newMemStore(p)}
		o := Options{Config: c, Plan: p, Store: m, Log: newStream(c, p, m.memStore).o.Log, Interval: 20 * time.Millisecond, Checkpoint: time.Hour}
		s := New(o)
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- s.Run(ctx) }()
		time.Sleep(100 * time.Millisecond)
		m.full.Store(true)
		feedBlock(m.memStore, 1001*sec, `{"value":1,"kind":"x"}`)
		m.addTick("a", edged.Instant{Wall: 1011 * sec}) // closes the window
		time.Sleep(200 * time.Millisecond)              // the stream is in commit's retry loop
		m.full.Store(false)                             // the operator makes room …
		cancel()                                        // … and restarts the service
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
		cur, _ := m.Cursor(edged.StreamCursor("pins"))
		rec, _ := readRecord(cur.Data)
		if rec.Produced != uint64(len(m.results["pins"])) {
			t.Fatalf("the cursor says %d rows produced, the result log has %d entries: lost for good", rec.Produced, len(m.results["pins"]))
		}
	})
}

func TestTheLedgerOfAStreamThatWasAway(t *testing.T) {
	c := rawConfig()
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	feedBlock(m, 1001*sec, `{"value":1}`)
	step(t, s)
	m.ride(s)
	// A life without the stream: the committer drops the totals of streams that its router does not know.
	m.router = NewRouter(nil)
	feedBlock(m, 1002*sec, `{"value":1}`)
	delete(m.totals, "pins")
	m.router = NewRouter([]*Plan{p})
	s = newStream(c, p, m)
	open(t, s)
	feedBlock(m, 1003*sec, `{"value":1}`)
	step(t, s)
	st := s.Status()
	if !st.Balanced {
		t.Fatalf("%+v", st)
	}
}

func TestTimesThatNanosecondsDoNotHold(t *testing.T) {
	c := rawConfig()
	c.Time = "ts"
	p := mustPlan(t, c)
	for _, ts := range []string{"9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2300-01-01T00:00:00Z"} {
		b := blockOf("a", edged.Instant{Wall: 1763632800 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"ts":%q}`, ts), 1763632800 * sec})
		r := newRowReader(p)
		v := r.begin(b, 0)
		if v == good && ts[0] != '0' {
			t.Errorf("%s passes as %v", ts, time.Unix(0, r.row.Time).UTC())
		}
	}
}

// A stream that waits for room is not stuck: design §6, "ENOSPC: keep running". The watchdog reads LastRound.
func TestWaitingForRoomIsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pinsConfig()
		c.From = []string{"a"}
		p := mustPlan(t, c)
		m := &fullStore{memStore: newMemStore(p)}
		s := New(Options{Config: c, Plan: p, Store: m, Log: newStream(c, p, m.memStore).o.Log, Interval: 20 * time.Millisecond, Checkpoint: time.Hour})
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- s.Run(ctx) }()
		time.Sleep(100 * time.Millisecond)
		m.full.Store(true)
		feedBlock(m.memStore, 1001*sec, `{"value":1,"kind":"x"}`)
		m.addTick("a", edged.Instant{Wall: 1011 * sec})
		time.Sleep(3500 * time.Millisecond)
		if d := time.Since(s.LastRound()); d > 2*time.Second {
			t.Errorf("the stream tries once a second and has not come round for %v: after 45 s the watchdog kills edged, again and again, as long as the disk is full", d)
		}
		m.full.Store(false)
		cancel()
		<-ran
	})
}

// A delivery passes every stretch of a stream that changed more than once, in order, also when it stood at the end of the first.
func TestNoStretchIsPassedOver(t *testing.T) {
	raw, win := rawConfig(), pinsConfig()
	win.From = []string{"a"}
	m := newMemStore()
	wall := 1000 * sec
	life := func(c *StreamConfig) *Stream {
		p := mustPlan(t, c)
		m.router = NewRouter([]*Plan{p})
		s := newStream(c, p, m)
		open(t, s)
		for range 5 {
			wall += sec
			feedBlock(m, wall, `{"value":1,"kind":"x"}`)
		}
		wall += 1000 * sec
		m.addTick("a", edged.Instant{Wall: wall}) // every window closes
		step(t, s)
		if err := s.checkpoint(context.Background()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	rows := func(s *Stream, at edged.Place) (n int, end edged.Place) {
		for {
			r, err := s.Feed().Read(at, edged.Place{}, edged.Limits{Rows: 2, Bytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if r.Rows != nil {
				n += r.Rows.Len()
			}
			if r.To == at {
				return n, at
			}
			at = r.To
		}
	}
	s := life(raw)
	oldest, err := s.Feed().Oldest()
	if err != nil {
		t.Fatal(err)
	}
	first, at := rows(s, oldest)
	m.cursors[edged.DeliveryCursor("pins", "x")] = edged.Cursor{Name: edged.DeliveryCursor("pins", "x"), Log: at.Log, Need: edged.SpansFrom(at.Seq)}
	life(win)
	s = life(raw)
	rest, end := rows(s, at)
	produced := int(s.Status().Produced)
	if first != 5 || first+rest != produced || end != s.Feed().End() {
		t.Errorf("%d rows, then %d, of %d; at %v of %v", first, rest, produced, end, s.Feed().End())
	}
}

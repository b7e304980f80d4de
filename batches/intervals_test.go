package batches

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
)

// moment is an entry of a log, and when it is written, from the log's beginning.
type moment struct {
	at time.Duration
	edged.Entry
}

// drawMoments makes a log: every 200 ms what two receivers have cut, and ticks, with silences of up to half a minute, a step of the clock, poison, and
// event times out of order, too late and too early.
func drawMoments(rnd *rand.Rand, length time.Duration) (log []moment) {
	cut := edged.Instant{Wall: 1000 * sec}
	silent := time.Duration(0) // until then
	stepAt := time.Duration(rnd.Int64N(int64(length)))
	tick := func(at time.Duration, receiver string) {
		log = append(log, moment{at, edged.Entry{Tick: &edged.Tick{Receivers: []edged.ReceiverTotal{{Receiver: receiver, Cut: cut}}}}})
	}
	const every = 200 * time.Millisecond
	for at := every; at <= length; at += every {
		cut.Wall += int64(every)
		if at-every < stepAt && stepAt <= at {
			cut.Epoch++
			cut.Wall += (rnd.Int64N(40) - 20) * sec
		}
		if at > silent && rnd.IntN(150) == 0 {
			silent = at + time.Duration(rnd.Int64N(int64(30*time.Second)))
		}
		for _, r := range []string{"a", "b"} {
			if at > silent && rnd.IntN(2) == 0 {
				b := drawBlock(rnd, r, cut, int64(every))
				log = append(log, moment{at, edged.Entry{Block: b}})
			}
		}
		if at > silent || rnd.IntN(20) == 0 {
			for _, r := range []string{"a", "b"}[rnd.IntN(2):] {
				tick(at, r)
			}
		}
	}
	cut.Wall += int64(time.Hour) // everything that can end ends
	tick(length, "a")
	tick(length, "b")
	return log
}

// drawBlock makes a block of the time before its cut.
func drawBlock(rnd *rand.Rand, receiver string, cut edged.Instant, length int64) *edged.Block {
	var msgs []msg
	trusted := rnd.IntN(10) > 0
	at := cut.Wall - length
	for range 1 + rnd.IntN(2) {
		at += rnd.Int64N(length / 2)
		skew := -rnd.Int64N(3000) // ms
		switch rnd.IntN(40) {
		case 0:
			skew -= 60_000
		case 1:
			skew += 5_000
		case 2:
			if trusted {
				skew += 120_000 // beyond max_future
			}
		}
		payload := fmt.Sprintf(`{"value":%d.%d,"kind":%q,"ts":%d}`, rnd.IntN(120)-60, rnd.IntN(10), []string{"x", "y"}[rnd.IntN(2)], at/1e6+skew)
		switch rnd.IntN(50) {
		case 0:
			payload = "poison"
		case 1:
			payload = `{"kind":"x"}`
		}
		msgs = append(msgs, msg{fmt.Sprintf("site/%d/gpio/1", 1+rnd.IntN(3)), payload, at})
	}
	b := blockOf(receiver, cut, msgs...)
	b.Trusted = trusted
	return b
}

// mortal is the store as one life of the gateway sees it. A commit takes a moment, and what is under way when the life ends is not done.
type mortal struct {
	*memStore
	dead atomic.Bool
}

func (m *mortal) Commit(ctx context.Context, u *edged.Update, soon bool) error {
	time.Sleep(3 * time.Millisecond)
	if m.dead.Load() {
		return nil // nobody hears of it
	}
	return m.memStore.Commit(ctx, u, soon)
}

// life is a stream that runs.
type life struct {
	*Stream
	store *mortal
	stop  context.CancelFunc
	ran   chan error
}

func begin(c *StreamConfig, p *Plan, m *memStore, interval time.Duration) *life {
	l := &life{store: &mortal{memStore: m}, ran: make(chan error, 1)}
	l.Stream = New(Options{Config: c, Plan: p, Store: l.store, Log: slog.New(slog.DiscardHandler), Interval: interval, Checkpoint: 5 * time.Second})
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go func() { l.ran <- l.Run(ctx) }()
	return l
}

// end stops the stream, or kills it: then nothing that it does any more is on disk, and what was to ride with the next commit is lost.
func (l *life) end(t *testing.T, kill bool) {
	l.store.dead.Store(kill)
	l.stop()
	if err := <-l.ran; err != nil {
		t.Fatal(err)
	}
}

// written is what the file sink writes of a stream's rows, in turns of any size, and of its dead letters.
func written(t *testing.T, s *Stream, m *memStore, rnd *rand.Rand) (text []byte, rows int) {
	f := s.Feed()
	at, err := f.Oldest()
	for err == nil {
		var r edged.Reading
		r, err = f.Read(at, edged.Place{}, edged.Limits{Rows: 1 + rnd.IntN(100), Bytes: 1 << 20})
		if r.Rows != nil {
			text, rows = encode.AppendNDJSON(text, r.Rows), rows+r.Rows.Len()
		}
		if r.To == at {
			break
		}
		at = r.To
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range m.results[edged.DeadLetters] {
		text = append(text, r.Data...)
	}
	return text, rows
}

// fates draws what becomes of a stream at each of n entries: '.' nothing, 's' it is stopped, 'k' it is killed, '-' it is not there. A stop and a kill are
// among them: it is drawn until they are.
func fates(rnd *rand.Rand, n int) []byte {
	for {
		f, away := make([]byte, n), false
		for i := range f {
			switch f[i] = '.'; {
			case away:
				f[i], away = '-', rnd.IntN(10) > 0
			case rnd.IntN(50) == 0:
				f[i], away = "sk"[rnd.IntN(2)], rnd.IntN(2) == 0
			}
		}
		if bytes.IndexByte(f, 's') >= 0 && bytes.IndexByte(f, 'k') >= 0 {
			return f
		}
	}
}

// live runs a stream while the log is written, in steps of the batch interval, with stops and kills.
func live(t *testing.T, c *StreamConfig, p *Plan, log []moment, interval time.Duration, rnd *rand.Rand) (text []byte, counts Counts) {
	synctest.Test(t, func(t *testing.T) {
		m, began := newMemStore(p), time.Now()
		l, fate := begin(c, p, m, interval), fates(rnd, len(log))
		for i, e := range log {
			time.Sleep(time.Until(began.Add(e.at)))
			m.add(e.Entry)
			if l != nil && rnd.IntN(2) == 0 {
				m.ride(l.Stream)
			}
			if fate[i] == 's' || fate[i] == 'k' {
				time.Sleep(time.Duration(rnd.Int64N(int64(150 * time.Millisecond))))
				l.end(t, fate[i] == 'k')
				l = nil
			}
			if l == nil && (i == len(log)-1 || fate[i+1] != '-') {
				l = begin(c, p, m, interval)
			}
		}
		time.Sleep(2 * interval)
		l.end(t, false)
		if st := l.Status(); !st.Balanced || st.Pending != 0 || st.Position != m.End() {
			t.Errorf("batches of %v: the ledger does not balance: %+v", interval, st)
		}
		text, _ = written(t, l.Stream, m, rnd)
		counts = l.rec.Counts
	})
	return text, counts
}

// The same block log, in batches of 50 ms, 1 s and 7 s, with stops and kills anywhere, gives the same bytes, whatever the kind of window (batch is the
// exception, see ADR 17), by arrival and by event time.
func TestTheSameLogAtAnyBatchInterval(t *testing.T) {
	length, seed := 2*time.Minute, rand.Uint64()
	if os.Getenv("EDGED_TEST") == "all" {
		length = time.Hour
	}
	if text := os.Getenv("EDGED_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("EDGED_SEED=%d", seed)
	for i, kind := range []struct {
		window string
		early  time.Duration
		more   func(c *StreamConfig)
	}{
		{window: "tumbling 10s"},
		{window: "tumbling 10s", early: 3 * time.Second},
		{window: "sliding 20s every 5s"},
		{window: "sliding 15s every 10s", early: 2500 * time.Millisecond},
		{window: "session 1s"},
		{window: "session 1s", early: 500 * time.Millisecond},
		{window: "count 7"},
		{window: "running"},
		{window: "running", early: 4 * time.Second, more: func(c *StreamConfig) { c.Expire = conf.Duration(10 * time.Second) }},
		{window: ""},
		{window: "", more: func(c *StreamConfig) {
			c.Where, c.Changed, c.Throttle, c.Sample = "value != lag(value)", "value > 0", conf.Duration(300*time.Millisecond), 2
		}},
	} {
		for j, by := range []string{"arrival", "event"} {
			t.Run(fmt.Sprint(kind.window, " early ", kind.early, " ", i, " by ", by), func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(seed, uint64(2*i+j)))
				c := pinsConfig()
				c.Window, c.EmitEvery = kind.window, conf.Duration(kind.early)
				if c.Window == "" {
					c.Aggregate, c.GroupBy = nil, nil
				} else {
					all := computed()
					rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
					c.Aggregate = append(c.Aggregate, all[:6]...)
				}
				if kind.more != nil {
					kind.more(c)
				}
				if by == "event" {
					c.Time, c.AllowedLateness, c.Idle = "ts", conf.Duration(2*time.Second), conf.Duration(5*time.Second)
				}
				p := mustPlan(t, c)
				late := by == "event" && c.Window != "" && kind.window != "running" && kind.window != "count 7"
				var log []moment
				var want []byte
				var counts Counts
				for i, rows := 0, 0; rows < 20 || counts.Dead == 0 || late && counts.Late == 0; i++ { // until there is a log with everything in it
					if i == 20 {
						t.Fatalf("no log that was drawn shows anything: %d rows, %+v", rows, counts)
					}
					log = drawMoments(rnd, length)
					m := newMemStore(p)
					s := newStream(c, p, m)
					open(t, s)
					for _, e := range log {
						m.add(e.Entry)
					}
					step(t, s)
					want, rows = written(t, s, m, rnd)
					counts = s.rec.Counts
				}
				for _, interval := range []time.Duration{50 * time.Millisecond, time.Second, 7 * time.Second} {
					got, had := live(t, c, p, log, interval, rnd)
					if !bytes.Equal(got, want) {
						t.Errorf("batches of %v: %s", interval, firstDifference(got, want))
					}
					if had != counts {
						t.Errorf("batches of %v: counts %+v, want %+v", interval, had, counts)
					}
				}
			})
		}
	}
}

// computed is every sort of aggregate.
func computed() (all conf.Pairs) {
	for i, text := range []string{
		"sum(value)", "first(kind)", "last(kind)", "stddev(value)", "distinct(value)", "rate(value)", "increase(value)", "delta(value)", "integral(value)", "twa(value)", "edges(value > 0)",
		"duty(value > 0)", `time_in_state(kind, "x")`, "p50(value)", "quantile(value, 0.9)", "mode(value)", "top_k(kind, 2)", "collect(value, 5)", "histogram(value, -10, 0, 10)",
	} {
		all = append(all, conf.Pair{Key: fmt.Sprint("a", i), Value: text})
	}
	return all
}

// firstDifference says where two texts part.
func firstDifference(got, want []byte) string {
	g, w := bytes.Split(got, []byte{'\n'}), bytes.Split(want, []byte{'\n'})
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("line %d of %d is\n%s\nwant, of %d,\n%s", i, len(g), g[i], len(w), w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

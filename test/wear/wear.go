// Package wear runs the real pipeline of a configuration, from a message's arrival to the sinks, in virtual time: an hour of a gateway takes seconds, and
// what its store and its files write are real bytes. The receivers' places are taken by publishers of QoS 1 that send at a pace; sinks that are no files take
// everything and keep nothing. A sync of the disk takes no virtual time: what waits for one waits too little.
package wear

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/configs"
	"edged/internal/clock"
	"edged/receiver"
	"edged/sinks/delivery"
	"edged/sinks/file"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// Publisher sends a message every so often.
type Publisher struct {
	Topic string
	Every time.Duration
	Bytes int // of payload: {"value":21.53,"ts":…,"seq":…}, as far as there is room
}

// Worn is what the store and the sinks have written in a while.
type Worn struct {
	Seconds  float64
	Messages float64
	Stored   float64 // topics and payloads
	Log      float64 // what the store says that the block log takes
	Used     float64 // what the pages in use of its file have grown by: with a sink that is away, what the backlog takes
	Written  float64 // to the store
	Commits  float64
	Sinks    float64       // by sinks that are files, and their growth
	Dropped  float64       // rows, counted so by the deliveries
	Waits    time.Duration // from a message's arrival to its acknowledgement, the middle one; syncs not included
}

// PerDay is what so much comes to in a day.
func (w Worn) PerDay(of float64) float64 { return of / w.Seconds * 86400 }

// Case is what runs.
type Case struct {
	Config     string // its data_dir has to be the directory that Run is given
	Publishers []Publisher
	Away       []string // sinks that cannot be reached: what they are to get is held
	Settle     time.Duration
	Measure    time.Duration
}

// Run runs a case until it has settled, and then measures. Nothing but virtual time is spent on waiting.
func Run(t *testing.T, dir string, k Case) (w Worn) {
	t.Helper()
	c, problems, _ := configs.Load("edged.toml", []byte(k.Config))
	for _, p := range problems {
		t.Fatal(p)
	}
	synctest.Test(t, func(t *testing.T) { w = run(t, dir, c, k) })
	return w
}

// open admits everything: no sink is ill.
type open struct{}

func (open) Closed(_, _ string) <-chan struct{} { return nil }

// taker is a sink that takes everything, or nothing.
type taker struct{ away bool }

func (taker) Open(context.Context, []byte, []edged.Delivery) error { return nil }
func (k taker) Write(_ context.Context, turn []edged.Delivery) (int, []byte, error) {
	if k.away {
		return 0, nil, errors.New("away")
	}
	return len(turn), nil, nil
}
func (taker) Close() error { return nil }

// bench is a gateway without a broker.
type bench struct {
	t          *testing.T
	c          *configs.Config
	away       []string
	log        *slog.Logger
	set        *metrics.Set
	store      *blockstore.Store
	generators []*receiver.Generator
	streams    []*batches.Stream
	writers    []*delivery.Writer
	stops      []func()
}

func run(t *testing.T, dir string, c *configs.Config, k Case) Worn {
	b := &bench{t: t, away: k.Away, c: c, log: slog.New(slog.NewTextHandler(io.Discard, nil)), set: metrics.NewSet()}
	var err error
	if b.store, err = blockstore.Open(dir, c.Store, b.log, b.set); err != nil {
		t.Fatal(err)
	}
	b.wire(dir)
	b.start(b.store.Run)
	for _, w := range b.writers {
		b.start(w.Run)
	}
	for _, s := range b.streams {
		b.start(s.Run)
	}
	for i, g := range b.generators {
		b.start(receiver.NewSupervisor(c.Receivers[i].Name, still{}, g, b.log).Run)
	}
	time.Sleep(time.Second)
	waits := &acked{}
	for i, p := range k.Publishers {
		b.start(func(ctx context.Context) error { return b.publish(ctx, p, uint64(i), waits) })
	}
	time.Sleep(k.Settle)
	before := b.read(dir)
	waits.forget()
	time.Sleep(k.Measure)
	after := b.read(dir)
	after.Waits = waits.middle()
	for _, stop := range slices.Backward(b.stops) {
		stop()
	}
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	return after.less(before)
}

func (b *bench) wire(dir string) {
	clk := clock.New(b.store.LastInstant())
	var plans []*batches.Plan
	for _, s := range b.c.Streams {
		made := batches.New(batches.Options{
			Config: s.StreamConfig, Plan: s.Plan, Store: b.store, Log: b.log, Interval: b.c.Batch.Interval.D(), Checkpoint: b.c.Store.Checkpoint.D(),
			Chained: b.c.Chained(s.Name), Unread: len(s.Sinks) == 0,
		})
		plans, b.streams = append(plans, s.Plan), append(b.streams, made)
		b.store.AddRider(made)
	}
	b.store.SetRouter(batches.NewRouter(plans))
	for _, k := range b.c.Sinks {
		b.addSink(k, dir)
	}
	for _, r := range b.c.Receivers {
		level := blockstore.Level(slices.Index(blockstore.Levels, r.Common.Storage))
		g := receiver.New(receiver.Options{
			Name: r.Name, Block: b.c.Blocks(), MinRate: float64(receiver.DefaultMinRate), Batch: b.c.Batch.Interval.D(), Memory: level == blockstore.Memory,
			Clock: clk, Trusted: func() bool { return true }, Store: b.store, Admission: open{}, Log: b.log,
		})
		b.store.AddSource(r.Name, level, g)
		b.generators = append(b.generators, g)
	}
}

func (b *bench) addSink(k configs.Sink, dir string) {
	set := metrics.NewSet()
	var sink edged.Sink = taker{slices.Contains(b.away, k.Name)}
	if _, is := k.Config.(*file.Config); is && sink == (taker{}) {
		sink = k.Config.New(spec.Env{Name: k.Name, Streams: k.Streams, Keys: b.c.Keys(k.Streams), DataDir: dir, Log: b.log, Metrics: set})
	}
	o := delivery.Options{
		Name: k.Name, Sink: sink, Encoding: k.Config.Encoding(), Limits: k.Config.Limits(), Store: b.store, Interval: b.c.Batch.Interval.D(), Log: b.log, Metrics: set,
		Yields: b.c.Yields,
	}
	for _, s := range b.streams {
		if slices.Contains(k.Streams, s.Name()) {
			o.Deliveries = append(o.Deliveries, delivery.DeliverySpec{Stream: s.Name(), Feed: s.Feed(), Start: "oldest", MaxPending: k.Common.MaxPending.Or(int64(b.c.Store.MaxBytes) / 2), WhenFull: k.Common.WhenFull})
		}
	}
	w := delivery.New(o)
	b.store.AddRider(w)
	b.writers = append(b.writers, w)
}

// start runs a part until stops are called, in the reverse order.
func (b *bench) start(part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- part(ctx) }()
	b.stops = append(b.stops, func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	})
}

// still is a receiver that brings nothing itself.
type still struct{}

// Run implements edged.Receiver.
func (still) Run(ctx context.Context, _ edged.Handler) error {
	<-ctx.Done()
	return nil
}

// publish sends a message every so often, at a phase and with values of its own, to the first receiver.
func (b *bench) publish(ctx context.Context, p Publisher, seed uint64, waits *acked) error {
	r := rand.New(rand.NewPCG(1, seed))
	next := time.Now().Add(time.Duration(r.Int64N(int64(p.Every))))
	me, sensor := &publisher{waits: waits}, newSensor(seed, p.Bytes)
	for n := uint64(0); ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		m := edged.Message{Topic: p.Topic, Payload: sensor.payload(n, time.Now().UnixMilli()), QoS: 1}
		me.sent(n)
		if err := b.generators[0].Take(ctx, &m, me, n); err != nil {
			return nil // it stops
		}
		next = next.Add(p.Every)
	}
}

func (b *bench) read(dir string) Worn {
	count := func(name string) float64 { return float64(b.set.GetOrCreateCounter(name).Get()) }
	w := Worn{
		Seconds: float64(time.Now().UnixNano()) / 1e9, Messages: count("edged_store_messages_total"), Stored: count("edged_store_stored_bytes_total"), Written: count("edged_store_written_bytes_total"),
		Commits: count("edged_store_commits_total"), Used: float64(b.store.Space().Used),
		Log: float64(b.store.Pending("", edged.SpansFrom(0))),
	}
	for _, k := range b.writers {
		ds, _ := k.Status()
		for _, d := range ds {
			w.Dropped += float64(d.Dropped)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.ndjson*"))
	for _, f := range files {
		if fi, err := os.Stat(f); err == nil {
			w.Sinks += float64(fi.Size())
		}
	}
	return w
}

func (w Worn) less(o Worn) Worn {
	return Worn{w.Seconds - o.Seconds, w.Messages - o.Messages, w.Stored - o.Stored, w.Log - o.Log, w.Used - o.Used, w.Written - o.Written, w.Commits - o.Commits, w.Sinks - o.Sinks, w.Dropped - o.Dropped, w.Waits}
}

// acked holds how long messages waited.
type acked struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (a *acked) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits = nil
}

func (a *acked) middle() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waits) == 0 {
		return 0
	}
	slices.Sort(a.waits)
	return a.waits[len(a.waits)/2]
}

// publisher is an edged.Acker that knows when it sent.
type publisher struct {
	waits *acked
	mu    sync.Mutex
	at    []time.Time // by token
	first uint64
}

func (p *publisher) sent(token uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
}

// Acked implements edged.Acker.
func (p *publisher) Acked(token uint64, _ edged.Pos, err error) {
	p.mu.Lock()
	at := p.at[token-p.first]
	p.at, p.first = p.at[token-p.first+1:], token+1
	p.mu.Unlock()
	p.waits.mu.Lock()
	defer p.waits.mu.Unlock()
	p.waits.waits = append(p.waits.waits, time.Since(at))
}

// Flush implements edged.Acker.
func (p *publisher) Flush() {}

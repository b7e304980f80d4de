package batches

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memStore is a block store in memory: what is committed stays, what a stream holds in memory is lost with it.
type memStore struct {
	mu      sync.Mutex
	log     []edged.Entry // entry i has number i+1
	tick    *edged.Tick
	totals  map[string]uint64
	cuts    map[string]edged.Instant
	router  *Router
	cursors map[string]edged.Cursor
	results map[string][]edged.Result
	values  map[string]map[string][]byte
	changed chan struct{}
	oldest  uint64
	gives   map[string]*Stream // chained streams
}

func newMemStore(plans ...*Plan) *memStore {
	return &memStore{
		totals: map[string]uint64{}, cuts: map[string]edged.Instant{}, router: NewRouter(plans), cursors: map[string]edged.Cursor{},
		results: map[string][]edged.Result{}, values: map[string]map[string][]byte{}, changed: make(chan struct{}), oldest: 1,
	}
}

func (m *memStore) addBlock(b *edged.Block) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.append(b)
}

func (m *memStore) append(b *edged.Block) {
	b.Seq = uint64(len(m.log)) + 1
	m.log = append(m.log, edged.Entry{Seq: b.Seq, Block: b})
	m.router.Count(b, func(stream string, n uint64) { m.totals[stream] += n })
	m.cuts[b.Receiver] = later(m.cuts[b.Receiver], b.Cut)
}

func (m *memStore) addTick(receiver string, at edged.Instant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cuts[receiver] = later(m.cuts[receiver], at)
	m.tickNow()
}

// tickNow ends a commit: m.mu is held.
func (m *memStore) tickNow() {
	for name, s := range m.gives {
		_, at, _ := s.Gives()
		m.cuts[name] = later(m.cuts[name], at)
	}
	t := &edged.Tick{Seq: uint64(len(m.log)) + 1}
	for _, r := range slices.Sorted(maps.Keys(m.cuts)) {
		t.Receivers = append(t.Receivers, edged.ReceiverTotal{Receiver: r, Cut: m.cuts[r], Stream: m.gives[r] != nil})
	}
	for _, p := range m.router.plans {
		t.Routed = append(t.Routed, edged.StreamTotal{Stream: p.Name, Routed: m.totals[p.Name]})
	}
	m.tick = t
	m.log = append(m.log, edged.Entry{Seq: t.Seq, Tick: t})
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memStore) End() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.log)) + 1
}
func (m *memStore) Oldest() (uint64, error) { return m.oldest, nil }
func (m *memStore) Next(seq uint64) (edged.Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seq = max(seq, m.oldest)
	if seq > uint64(len(m.log)) {
		return edged.Entry{}, false, nil
	}
	return m.log[seq-1], true, nil
}
func (m *memStore) LastTick() *edged.Tick {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tick
}
func (m *memStore) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}
func (m *memStore) Cursor(name string) (edged.Cursor, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.cursors[name]
	return c, ok
}
func (m *memStore) Cursors() []edged.Cursor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.cursors))
}
func (m *memStore) Pending(_ string, need edged.Spans) (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sp := range need {
		for seq := max(sp.From, m.oldest); seq <= uint64(len(m.log)) && seq < sp.To; seq++ {
			if b := m.log[seq-1].Block; b != nil {
				n += b.Size()
			}
		}
	}
	return n
}
func (m *memStore) ResultEnd(stream string) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.results[stream])) + 1
}
func (m *memStore) NextResult(stream string, seq uint64) (edged.Result, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq > uint64(len(m.results[stream])) {
		return edged.Result{}, false, nil
	}
	return m.results[stream][seq-1], true, nil
}
func (m *memStore) LastResult(stream string) (edged.Result, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.results[stream]); n > 0 {
		return m.results[stream][n-1], true, nil
	}
	return edged.Result{}, false, nil
}
func (m *memStore) Values(space string, each func(string, []byte, error) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(m.values[space])) {
		if err := each(k, m.values[space][k], nil); err != nil {
			return err
		}
	}
	return nil
}
func (m *memStore) Commit(_ context.Context, u *edged.Update, _ bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range u.Cursors {
		m.cursors[c.Name] = c
	}
	for _, r := range u.Results {
		r.Seq = uint64(len(m.results[r.Stream])) + 1
		m.results[r.Stream] = append(m.results[r.Stream], r)
	}
	for _, b := range u.Blocks {
		m.append(b)
	}
	if len(u.Blocks) > 0 {
		m.tickNow()
	}
	for _, p := range u.Puts {
		if m.values[p.Space] == nil {
			m.values[p.Space] = map[string][]byte{}
		}
		if p.Value == nil {
			delete(m.values[p.Space], p.Key)
		} else {
			m.values[p.Space][p.Key] = p.Value
		}
	}
	return nil
}

// ride does what the committer does with every commit.
func (m *memStore) ride(s *Stream) {
	var u edged.Update
	s.Ride(&u)
	m.Commit(context.Background(), &u, false)
}

func mustPlan(t fataler, c *StreamConfig) *Plan {
	p, problems := Compile(c)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", problems[0].where(), problems[0].Err)
	}
	return p
}

type fataler interface{ Fatalf(string, ...any) }

func newStream(c *StreamConfig, p *Plan, m *memStore) *Stream {
	return New(Options{Config: c, Plan: p, Store: m, Log: slog.New(slog.DiscardHandler), Interval: time.Second, Checkpoint: time.Hour})
}

func pinsConfig() *StreamConfig {
	c := DefaultStream()
	c.Name, c.From, c.Topics = "pins", []string{"a", "b"}, []string{"site/+/gpio/+"}
	c.Where = "value > -40"
	c.GroupBy = conf.Pairs{{Key: "device", Value: "topic[1]"}, {Key: "kind", Value: "kind"}}
	c.Window = "tumbling 10s"
	c.Aggregate = conf.Pairs{{Key: "n", Value: "count()"}, {Key: "mean", Value: "avg(value)"}, {Key: "max", Value: "max(value)"}}
	c.Sinks = []string{"x"}
	return c
}

// blockOf makes a block of messages that all arrive at the given seconds.
func blockOf(receiver string, cut edged.Instant, msgs ...msg) *edged.Block {
	b := &edged.Block{Receiver: receiver, Cut: cut, Trusted: true}
	topics := map[string]uint32{}
	for _, m := range msgs {
		i, ok := topics[m.topic]
		if !ok {
			i = uint32(len(b.Topics))
			topics[m.topic] = i
			b.Topics = append(b.Topics, m.topic)
		}
		b.Topic = append(b.Topic, i)
		b.Arrival = append(b.Arrival, m.at)
		b.Flags = append(b.Flags, 1)
		b.Data = append(b.Data, m.payload...)
		b.End = append(b.End, uint32(len(b.Data)))
	}
	return b
}

type msg struct {
	topic, payload string
	at             int64
}

const sec = int64(time.Second)

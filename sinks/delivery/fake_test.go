package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"edged"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memStore keeps what is committed. Every log entry weighs 10 bytes.
type memStore struct {
	mu      sync.Mutex
	cursors map[string]edged.Cursor
	letters int
	soon    int   // commits that were asked for before the cadence
	room    int64 // 0: no end of it
	ends    map[string]uint64
	changed chan struct{}
}

func newMemStore() *memStore {
	return &memStore{cursors: map[string]edged.Cursor{}, ends: map[string]uint64{}, changed: make(chan struct{})}
}

func (m *memStore) UUID() string { return "uuid" }
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
func (m *memStore) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}
func (m *memStore) Pending(log string, need edged.Spans) (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sp := range need {
		if to := min(sp.To, m.ends[log]); to > sp.From {
			n += int64(to-sp.From) * 10
		}
	}
	return n
}

// Lack is what the entries that some cursor needs take above room.
func (m *memStore) Lack() int64 {
	if m.room == 0 {
		return 0
	}
	held := int64(0)
	for log := range m.ends {
		var u edged.Spans
		for _, c := range m.Cursors() {
			if c.Log == log {
				u = u.Union(c.Need)
			}
		}
		held += m.Pending(log, u)
	}
	return max(0, held-m.room)
}

func (m *memStore) Commit(_ context.Context, u *edged.Update, soon bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if soon {
		m.soon++
	}
	for _, c := range u.Cursors {
		m.cursors[c.Name] = c
	}
	for _, name := range u.Forget {
		delete(m.cursors, name)
	}
	m.letters += len(u.Results)
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

func (m *memStore) record(t testing.TB, stream, sink string) record {
	c, ok := m.Cursor(edged.DeliveryCursor(stream, sink))
	if !ok {
		t.Fatalf("no cursor of %s/%s", stream, sink)
	}
	r, err := readRecord(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// turn is the committed turn of a sink.
func (m *memStore) turn(sink string) (r sinkRecord) {
	if c, ok := m.Cursor(sinkCursor(sink)); ok {
		_ = json.Unmarshal(c.Data, &r)
	}
	return r
}

// numbers is the feed of a stream whose log entry i holds i%4 rows; row o of entry i is the text "i.o".
type numbers struct {
	mu     sync.Mutex
	stream string
	store  *memStore
	end    uint64
	life   uint64
}

func newNumbers(s *memStore, stream string) *numbers {
	n := &numbers{stream: stream, store: s}
	n.grow(1)
	return n
}

func (n *numbers) grow(to uint64) {
	n.mu.Lock()
	n.end = to
	n.mu.Unlock()
	n.store.mu.Lock()
	n.store.ends[""] = max(n.store.ends[""], to)
	n.store.mu.Unlock()
}

func (n *numbers) Life() uint64    { return n.life }
func (n *numbers) Resumed() uint64 { return n.Produced() }

func (n *numbers) Oldest() (edged.Place, error) { return edged.Place{Pos: edged.Pos{Seq: 1}}, nil }
func (n *numbers) End() edged.Place {
	n.mu.Lock()
	defer n.mu.Unlock()
	return edged.Place{Pos: edged.Pos{Seq: n.end}}
}
func (n *numbers) Watch(func()) func() { return func() {} }
func (n *numbers) Produced() (sum uint64) {
	for i := range n.End().Seq {
		sum += i % 4
	}
	return sum
}
func (n *numbers) Read(from, until edged.Place, l edged.Limits) (edged.Reading, error) {
	stop := n.End().Pos
	if until != (edged.Place{}) && until.Before(stop) {
		stop = until.Pos
	}
	r := edged.Reading{From: from, To: from, Like: "like", Rows: &edged.Rows{Stream: n.stream, Names: []string{"x"}}}
	for r.To.Before(stop) {
		if uint64(r.To.Off) >= r.To.Seq%4 {
			r.To.Pos = edged.Pos{Seq: r.To.Seq + 1}
			continue
		}
		if r.Rows.Len() >= l.Rows || l.Bytes > 0 && r.Rows.Len() > 0 && r.Bytes+10 > l.Bytes {
			r.More = true
			return r, nil
		}
		r.Bytes += 10
		r.Rows.At = append(r.Rows.At, r.To.Pos)
		r.Rows.Cells = append(r.Rows.Cells, edged.TextValue(r.To.Pos.String()))
		r.To.Off++
	}
	return r, nil
}

// texts is what a delivery says.
func texts(r *edged.Rows) (out []string) {
	for i := range r.Len() {
		out = append(out, r.Row(i)[0].Str())
	}
	return out
}

// log notes what arrives and does what its test says before that.
type logSink struct {
	mu     sync.Mutex
	before func(turn []edged.Delivery) (done int, err error)
	byKey  map[string][]string
	keys   []string
	opens  int
	redone []edged.Delivery
}

func (s *logSink) Open(_ context.Context, _ []byte, redo []edged.Delivery) error {
	s.opens++
	s.redone = redo
	return nil
}

func (s *logSink) Write(_ context.Context, turn []edged.Delivery) (int, []byte, error) {
	done, err := len(turn), error(nil)
	if s.before != nil {
		done, err = s.before(turn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[string][]string{}
	}
	for _, d := range turn[:done] {
		s.byKey[d.Key] = texts(d.Rows)
		s.keys = append(s.keys, d.Key)
	}
	return done, []byte(fmt.Sprint(len(s.keys))), err
}

// sizes is the number of rows of each delivery so far.
func (s *logSink) sizes() (out []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		out = append(out, len(s.byKey[k]))
	}
	return out
}

func (s *logSink) Close() error { return nil }

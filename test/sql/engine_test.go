package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/batches"
	"edged/internal/conf"
	"edged/internal/rowcodec"
)

// table is results by window and group, and then by column. A cell is a number, a text, or nil for null.
type table map[key]map[string]any

type key struct {
	start, end int64
	group      string
}

// store is a finished log in memory.
type store struct {
	mu      sync.Mutex
	log     []edged.Entry
	cursors map[string]edged.Cursor
	count   uint64 // of results
	upTo    uint64 // entries that are there yet
	take    func(*edged.Result) error
}

// Pending says that nothing waits: the engine says when there is a step.
func (m *store) Pending(string, edged.Spans) int64 { return 0 }

// End grows while the stream runs.
func (m *store) End() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.upTo + 1
}

// grow has further entries come, and reports whether there were any.
func (m *store) grow(by uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.upTo
	m.upTo = min(was+by, uint64(len(m.log)))
	return m.upTo > was
}

func (m *store) Oldest() (uint64, error)  { return 1, nil }
func (m *store) LastTick() *edged.Tick    { return m.log[len(m.log)-1].Tick }
func (m *store) Changed() <-chan struct{} { return nil }
func (m *store) Cursors() []edged.Cursor  { return nil }

func (m *store) Next(seq uint64) (edged.Entry, bool, error) {
	if seq > uint64(len(m.log)) {
		return edged.Entry{}, false, nil
	}
	return m.log[seq-1], true, nil
}

func (m *store) Cursor(name string) (edged.Cursor, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.cursors[name]
	return c, ok
}

func (m *store) ResultEnd(string) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count + 1
}

func (m *store) NextResult(string, uint64) (edged.Result, bool, error) {
	return edged.Result{}, false, errors.New("results are taken when they are committed")
}

func (m *store) LastResult(string) (edged.Result, bool, error) { return edged.Result{}, false, nil }

func (m *store) Values(string, func(string, []byte, error) error) error { return nil }

func (m *store) Commit(_ context.Context, u *edged.Update, _ bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range u.Cursors {
		m.cursors[c.Name] = c
	}
	for i := range u.Results {
		m.count++
		if err := m.take(&u.Results[i]); err != nil {
			return err
		}
	}
	return nil
}

// stream is the configuration of a case.
func (c *scenario) stream() *batches.StreamConfig {
	s := batches.DefaultStream()
	s.Name, s.From, s.Topics, s.Window, s.Where = "s", receivers, []string{"site/+/+"}, c.window, c.where
	s.GroupBy = conf.Pairs{{Key: "device", Value: "topic[1]"}, {Key: "kind", Value: "topic[2]"}}
	s.Idle = 0
	if c.event {
		s.Time, s.AllowedLateness = "ts", conf.Duration(c.lateness)
	}
	if c.window == "running" {
		s.EmitEvery = conf.Duration(10 * time.Minute)
	}
	for _, a := range checks() {
		s.Aggregate = append(s.Aggregate, conf.Pair{Key: "x_" + a.name, Value: a.function})
	}
	return s
}

// step is the blocks that a step of window = "batch" took, and the window that it had.
type step struct {
	First, Last uint64
	Start, End  int64
}

// engine runs a log through a stream: in one step, or in some if they matter.
func engine(t *testing.T, c *scenario, log []edged.Entry) (got table, steps []step, counts batches.Counts) {
	config := c.stream()
	plan, problems := batches.Compile(config)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", problems[0].Key, problems[0].Err)
	}
	got = table{}
	m := &store{log: log, cursors: map[string]edged.Cursor{}}
	more := uint64(len(log))
	switch c.queries {
	case "batch":
		more = more/20 + 1
		m.take = func(r *edged.Result) error {
			k, err := got.add(r, nil)
			if n := len(steps); n == 0 || steps[n-1].Last < r.Cause {
				s := step{First: 1, Last: r.Cause, Start: k.start, End: k.end}
				if n > 0 {
					s.First = steps[n-1].Last + 1
				}
				steps = append(steps, s)
			}
			return err
		}
	case "running": // what was given last of a group is everything
		latest := map[string]key{}
		m.take = func(r *edged.Result) error { _, err := got.add(r, latest); return err }
	default:
		m.take = func(r *edged.Result) error { _, err := got.add(r, nil); return err }
	}
	m.grow(more)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := batches.New(batches.Options{
		Config: config, Plan: plan, Store: m, Log: slog.New(slog.DiscardHandler), Interval: 10 * time.Millisecond, Checkpoint: time.Hour,
		Report: func(batches.Report) { // of a step
			if !m.grow(more) {
				cancel()
			}
		},
	})
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	st := s.Status()
	if st.Position != m.End() || st.Dead+st.Dropped > 0 || st.Problem != "" {
		t.Fatalf("the stream is not through: %+v", st)
	}
	return got, steps, st.Counts
}

// add takes a result entry, and returns the window of its last row. With latest, a further result of a group takes the place of the one before.
func (t table) add(r *edged.Result, latest map[string]key) (k key, err error) {
	rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
	if err != nil {
		return k, err
	}
	for i := range rows.Len() {
		cells := map[string]any{}
		k = key{}
		for at, v := range rows.Row(i) {
			switch name := rows.Names[at]; name {
			case "window_start":
				k.start = v.Nanos()
			case "window_end":
				k.end = v.Nanos()
			case "device":
				k.group = v.Str()
			case "kind":
				k.group += "/" + v.Str()
			case "partial":
				if !v.Missing() {
					return k, fmt.Errorf("window %+v is partial", k)
				}
			default:
				if len(name) > 2 && name[:2] == "x_" {
					cells[name[2:]] = cell(name[2:], v)
				}
			}
		}
		if latest != nil {
			delete(t, latest[k.group])
			latest[k.group] = k
		}
		if t[k] != nil {
			return k, fmt.Errorf("window %+v comes twice", k)
		}
		t[k] = cells
	}
	return k, nil
}

// cell is a value as it is compared: those of the mixed column as JSON.
func cell(name string, v edged.Value) any {
	f, number := v.Float()
	mixed := name == "first" || name == "last" || name == "mode"
	switch {
	case v.Missing():
		return nil
	case number && !mixed:
		return f
	case v.Kind() == edged.JSON:
		return v.Str()
	}
	var plain any = v.Str()
	if number {
		plain = f
	} else if v.Kind() == edged.Bool {
		plain = v.Bool()
	}
	text, err := json.Marshal(plain)
	if err != nil {
		panic(err) // texts, numbers and Bools can be written
	}
	return string(text)
}

package gpio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/internal/conf"

	"github.com/VictoriaMetrics/metrics"
)

// fakeLine is a line whose edges the test makes. Like the kernel it keeps edges until they are waited for.
type fakeLine struct {
	mu     sync.Mutex
	level  float64
	err    error
	closed bool
	reads  int
	events chan float64
}

func newFakeLine() *fakeLine { return &fakeLine{events: make(chan float64, 100)} }

func (f *fakeLine) set(level float64) {
	f.mu.Lock()
	f.level = level
	f.mu.Unlock()
	f.events <- level
}

// fail makes every later call fail.
func (f *fakeLine) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeLine) Read(time.Time) (float64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return f.level, f.err
}

func (f *fakeLine) Wait(timeout time.Duration) (float64, bool, error) {
	select {
	case v := <-f.events:
		return v, true, nil
	case <-time.After(timeout):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return 0, false, f.err
}

func (f *fakeLine) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fakeLine) open(*PinConfig) (line, error) { return f, nil }

// message is one published reading, read back.
type message struct {
	topic  string
	qos    byte
	retain bool

	Name  string  `json:"name"`
	Line  string  `json:"line"`
	Value float64 `json:"value"`
	Edge  string  `json:"edge"`
	Seq   uint64  `json:"seq"`
	TS    int64   `json:"ts"`
}

// fakeBroker keeps what is published; err and hold make it refuse or block.
type fakeBroker struct {
	mu   sync.Mutex
	got  []message
	err  error
	hold chan struct{} // blocks until it is closed
}

func (b *fakeBroker) publish(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error {
	b.mu.Lock()
	hold := b.hold
	b.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	m := message{topic: topic, qos: qos, retain: retain}
	if err := json.Unmarshal(payload, &m); err != nil {
		panic(err)
	}
	b.got = append(b.got, m)
	return nil
}

func (b *fakeBroker) refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *fakeBroker) block() (release func()) {
	hold := make(chan struct{})
	b.mu.Lock()
	b.hold = hold
	b.mu.Unlock()
	return func() {
		b.mu.Lock()
		b.hold = nil
		b.mu.Unlock()
		close(hold)
	}
}

func (b *fakeBroker) messages() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]message(nil), b.got...)
}

// journal is a log that can be read from another goroutine.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func (j *journal) lines(with string) (out []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.buf.String()) {
		if strings.Contains(line, with) {
			out = append(out, line)
		}
	}
	return out
}

// parse loads a [gpio] configuration in which there must be no mistake.
func parse(t testing.TB, text string) *Config {
	t.Helper()
	d := conf.Parse("edged.toml", []byte(text))
	c := Load(d.Root().Sub("gpio"), t.TempDir())
	if p := d.Problems(); len(p) > 0 {
		t.Fatal(p)
	}
	return c
}

// house is a room under test with its surroundings.
type house struct {
	*Room
	broker  fakeBroker
	journal journal
	metrics *metrics.Set
	stop    func()
}

// start runs a room whose lines come from open. stop ends it and waits; it also runs when the test ends.
func start(t testing.TB, text string, open opener) *house {
	t.Helper()
	h := &house{metrics: metrics.NewSet()}
	h.Room = newRoom(parse(t, text), open, h.broker.publish, h.journal.log(), h.metrics)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

// metric is the value of one counter of the set.
func (h *house) metric(t testing.TB, name string) string {
	t.Helper()
	var b bytes.Buffer
	h.metrics.WritePrometheus(&b)
	for line := range strings.Lines(b.String()) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	t.Fatalf("no metric %s in\n%s", name, &b)
	return ""
}

// balanced checks the sum that Status promises.
func balanced(t testing.TB, s PinStatus, waiting uint64) {
	t.Helper()
	if s.Seq != s.Readings+s.Dropped+waiting {
		t.Errorf("seq %d is not %d readings + %d dropped + %d waiting", s.Seq, s.Readings, s.Dropped, waiting)
	}
}

var errGone = errors.New("no such device")

package remote

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/await"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patient = await.Patience

// handler is a Handler whose commits the test makes.
type handler struct {
	mu      sync.Mutex
	stored  []edged.Message
	waiting []func(error)
	refuse  func(ctx context.Context) error
}

func (h *handler) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	h.mu.Lock()
	refuse := h.refuse
	h.mu.Unlock()
	if refuse != nil {
		if err := refuse(ctx); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := *m
	kept.Payload = bytes.Clone(m.Payload)
	h.stored = append(h.stored, kept)
	if ack != nil {
		h.waiting = append(h.waiting, func(err error) { ack.Acked(token, edged.Pos{}, err); ack.Flush() })
	}
	return nil
}

func (h *handler) refusing(f func(ctx context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = f
}

func (h *handler) commit(err error) int {
	h.mu.Lock()
	w := h.waiting
	h.waiting = nil
	h.mu.Unlock()
	for _, done := range w {
		done(err)
	}
	return len(w)
}

func (h *handler) payloads() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.stored {
		out = append(out, string(m.Payload))
	}
	return out
}

func (h *handler) has(t testing.TB, want ...string) {
	t.Helper()
	await.Soon(t, fmt.Sprintf("%q arrive", want), func() bool { return len(h.payloads()) >= len(want) })
	if got := h.payloads(); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// memory is a Memory.
type memory struct {
	mu     sync.Mutex
	topics map[string][]string
	writes int
}

func (m *memory) Topics(id string) []string { m.mu.Lock(); defer m.mu.Unlock(); return m.topics[id] }

func (m *memory) Remember(id string, topics []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.topics == nil {
		m.topics = map[string][]string{}
	}
	m.topics[id] = slices.Clone(topics)
	m.writes++
	return nil
}

// running is a receiver that runs.
type running struct {
	log  *await.Log
	r    *Receiver // nil for a publisher
	set  *metrics.Set
	stop func() error
	end  chan error
}

func run(t testing.TB, cfg *Config, topics []string, mem Memory, h edged.Handler) *running {
	t.Helper()
	r := &running{log: &await.Log{}, set: metrics.NewSet(), end: make(chan error, 1)}
	rec := NewReceiver(cfg, topics, mem, slog.New(slog.NewTextHandler(r.log, nil)), r.set)
	r.r = rec.(*Receiver)
	r.start(t, func(ctx context.Context) error { return rec.Run(ctx, h) })
	if h, ok := h.(*handler); ok {
		t.Cleanup(func() { h.commit(nil) }) // so that stopping need not wait
	}
	return r
}

func (r *running) start(t testing.TB, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.end <- f(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-r.end:
			return err
		case <-time.After(patient):
			return fmt.Errorf("Run did not return")
		}
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil && edged.ClassOf(err) != edged.Permanent {
			t.Error(err)
		}
	})
}

func (r *running) metric(name string) uint64 {
	for _, m := range r.set.ListMetricNames() {
		if strings.HasPrefix(m, name) {
			return r.set.GetOrCreateCounter(m).Get()
		}
	}
	return 0
}

func (r *running) connected(t testing.TB, times uint64) {
	t.Helper()
	await.Soon(t, fmt.Sprint("connected ", times, " times"), func() bool {
		return r.metric("edged_receiver_connects_total")+r.metric("edged_publisher_connects_total") == times
	})
}

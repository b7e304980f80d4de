// Package receivertest is the suite that every kind of receiver passes: what the supervisor and the generator rely on.
package receivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"edged"
)

// patient is how long anything may take.
const patient = 20 * time.Second

// Make makes a receiver, and a function that has its source bring the payloads, each once and in this order. bring is called
// when Run has been started, on a goroutine of its own; it may wait for the receiver to be connected.
type Make func(t *testing.T, payloads []string) (r edged.Receiver, bring func())

// Run runs the suite.
func Run(t *testing.T, make Make) {
	payloads := []string{}
	for i := range 20 {
		payloads = append(payloads, fmt.Sprintf(`{"value":%d}`, i))
	}
	t.Run("messages come whole and in order", func(t *testing.T) {
		h := &handler{}
		e := start(t, make, payloads, h)
		e.has(h, payloads)
		e.stop()
	})
	t.Run("a handler that waits loses nothing", func(t *testing.T) {
		h := &handler{held: gate()}
		e := start(t, make, payloads, h)
		soon(t, "the first message is offered", func() bool { return h.offered() > 0 })
		if n := h.offered(); n > 1 {
			t.Errorf("%d messages were offered at once: one source, one order", n)
		}
		close(h.held)
		e.has(h, payloads)
		e.stop()
	})
	t.Run("it ends while a message waits, and takes nothing afterwards", func(t *testing.T) {
		h := &handler{held: gate()}
		e := start(t, make, payloads, h)
		soon(t, "a message waits", func() bool { return h.offered() > 0 })
		e.stop()
		n := h.offered()
		close(h.held)
		time.Sleep(50 * time.Millisecond) // there is no event for what must not happen
		if h.offered() != n {
			t.Error("a message was offered after Run had returned")
		}
	})
	t.Run("it ends when nothing comes", func(t *testing.T) {
		start(t, make, nil, &handler{}).stop()
	})
}

func gate() chan struct{} { return make(chan struct{}) }

// running is a receiver that runs.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan error
	wg     *sync.WaitGroup
}

func start(t *testing.T, make Make, payloads []string, h *handler) *running {
	t.Helper()
	r, bring := make(t, payloads)
	ctx, cancel := context.WithCancel(context.Background())
	e := &running{t: t, cancel: cancel, ended: newEnded(), wg: &sync.WaitGroup{}}
	go func() { e.ended <- r.Run(ctx, h) }()
	e.wg.Go(bring)
	t.Cleanup(e.stop)
	return e
}

func newEnded() chan error { return make(chan error, 1) }

// stop ends Run, which must not call that a failure. A receiver that had nothing more to bring may have ended before.
func (e *running) stop() {
	e.t.Helper()
	e.cancel()
	select {
	case err := <-e.ended:
		if err != nil && !errors.Is(err, edged.ErrStopped) && !errors.Is(err, context.Canceled) {
			e.t.Errorf("Run returned %v", err)
		}
		e.ended <- nil // for the next stop
	case <-time.After(patient):
		e.t.Error("Run does not end")
	}
	e.wg.Wait()
}

func (e *running) has(h *handler, want []string) {
	e.t.Helper()
	soon(e.t, "every message is taken", func() bool { return len(h.list()) >= len(want) })
	if got := h.list(); !slices.Equal(got, want) {
		e.t.Errorf("took %q, want %q", got, want)
	}
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// handler takes messages, and acknowledges each at once from another goroutine. It keeps nothing that is the receiver's.
type handler struct {
	held chan struct{} // nil, or closed when messages may be taken

	mu    sync.Mutex
	asked int
	took  []string
}

// Take implements edged.Handler.
func (h *handler) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	h.mu.Lock()
	h.asked++
	h.mu.Unlock()
	if h.held != nil {
		select {
		case <-h.held:
		case <-ctx.Done():
			return edged.ErrStopped
		}
	}
	h.mu.Lock()
	h.took = append(h.took, string(m.Payload))
	h.mu.Unlock()
	if ack != nil {
		go func() {
			ack.Acked(token, edged.Pos{}, nil)
			ack.Flush()
		}()
	}
	return nil
}

func (h *handler) offered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

func (h *handler) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.took)
}

package receiver

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
)

// shelf is a store of notes.
type shelf struct {
	mu    sync.Mutex
	value []byte
	saves int
	bad   error // of Load
	full  error // of Save
}

func (s *shelf) Load(string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.value), s.bad
}

func (s *shelf) Save(_ string, value []byte, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	if s.full == nil {
		s.value = slices.Clone(value)
	}
	go done(s.full)
}

// copy is what a crash leaves of it now.
func (s *shelf) copy() *shelf {
	v, _ := s.Load("")
	return &shelf{value: v}
}

func (s *shelf) offset(t *testing.T) int64 {
	t.Helper()
	v, _ := s.Load("")
	n, err := decodeNote(v)
	if err != nil || len(n.Files) == 0 {
		t.Fatal(string(v), err)
	}
	return n.Files[0].Offset
}

// reader is a generator that writes down what it takes, and acknowledges it as its test says.
type reader struct {
	mu    sync.Mutex
	got   []string
	acks  func(n int) (ack bool, err error) // of message n, from 0; nil acknowledges all
	held  chan struct{}                     // if not nil, what Take waits for
	asked int
}

func (r *reader) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	r.mu.Lock()
	r.asked++
	r.mu.Unlock()
	if r.held != nil {
		select {
		case <-r.held:
		case <-ctx.Done():
			return edged.ErrStopped
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.got)
	r.got = append(r.got, m.Topic+" "+string(m.Payload))
	ok, err := true, error(nil)
	if r.acks != nil {
		ok, err = r.acks(n)
	}
	if ok {
		go func() {
			ack.Acked(token, edged.Pos{}, err)
			ack.Flush()
		}()
	}
	return nil
}

func (r *reader) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *reader) has(t *testing.T, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = "log " + want[i]
	}
	await.Soon(t, "lines are taken: "+strings.Join(want, ", "), func() bool { return len(r.list()) >= len(want) })
	if got := r.list(); !slices.Equal(got, want) {
		t.Fatalf("took %q, want %q", got, want)
	}
}

// following is a tail that runs.
type following struct {
	*tail
	cancel context.CancelFunc
	ended  chan error
	idled  chan struct{}
}

func newTail(path string, notes Notes, change func(*tail)) *tail {
	f := DefaultFile()
	f.Path, f.Topic, f.Start = path, "log", "beginning"
	t := f.New(Env{Name: "r", Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(), Notes: notes}).(*tail)
	if change != nil {
		change(t)
	}
	return t
}

// begin runs a tail. When it returns the tail has read everything that there was.
func begin(t *testing.T, x *tail, h edged.Handler) *following {
	t.Helper()
	f := &following{tail: x, ended: make(chan error, 1), idled: make(chan struct{}, 1)}
	x.idle = func() {
		select {
		case f.idled <- struct{}{}:
		default:
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.cancel = cancel
	go func() { f.ended <- x.Run(ctx, h) }()
	t.Cleanup(func() { cancel(); <-f.ended })
	return f
}

func (f *following) stop(t *testing.T) {
	t.Helper()
	f.cancel()
	err := <-f.ended
	f.ended <- nil // for the cleanup
	if err != nil {
		t.Fatal(err)
	}
}

func (f *following) waitIdle(t *testing.T) {
	t.Helper()
	select {
	case <-f.idled:
	case <-time.After(await.Patience):
		t.Fatal("it does not come to the end")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	ok(t, err)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func logFile(t *testing.T) string { return filepath.Join(t.TempDir(), "meter.log") }

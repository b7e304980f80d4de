package http

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	nethttp "net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"edged"
	"edged/sinks/sinktest"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

func env(t *testing.T) spec.Env {
	return spec.Env{Name: "cloud", DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()}
}

// server records what it takes. answer, if set, may answer instead; it returns true if it did.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	taken  []sinktest.Arrival
	heads  []nethttp.Header
	conns  map[string]bool
	answer func(w nethttp.ResponseWriter, r *nethttp.Request) bool
}

func newServer(t *testing.T, answer func(nethttp.ResponseWriter, *nethttp.Request) bool) *server {
	s := &server{conns: map[string]bool{}, answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	s.mu.Lock()
	s.conns[r.RemoteAddr] = true
	answer := s.answer
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		body, err = gunzip(body)
	}
	if err != nil {
		nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, sinktest.Arrival{Key: r.Header.Get("Idempotency-Key"), Body: body})
	s.heads = append(s.heads, r.Header)
}

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func (s *server) set(answer func(nethttp.ResponseWriter, *nethttp.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *server) arrivals() []sinktest.Arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

func (s *server) refuse(after []edged.Delivery) (accept func()) {
	left := map[string]bool{}
	for _, d := range after {
		left[d.Key] = true
	}
	s.set(func(w nethttp.ResponseWriter, r *nethttp.Request) bool {
		if left[r.Header.Get("Idempotency-Key")] {
			return false
		}
		w.WriteHeader(nethttp.StatusServiceUnavailable)
		return true
	})
	return func() { s.set(nil) }
}

func (s *server) hang() (reached <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(in) })
	s.set(func(nethttp.ResponseWriter, *nethttp.Request) bool { once(); <-out; return true })
	return in, func() { s.set(nil); close(out) }
}

// open makes an open sink of a config, closed at the end of the test.
func open(t *testing.T, c *Config, e spec.Env) edged.Sink {
	t.Helper()
	s := c.New(e)
	if err := s.Open(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func row(key, text string) edged.Delivery {
	return edged.Delivery{Key: key, Rows: &edged.Rows{
		Stream: "s", Names: []string{"v"}, Cells: []edged.Value{edged.TextValue(text)}, At: make([]edged.Pos, 1),
	}}
}

package influx

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"edged"
	"edged/sinks/sinktest"
	"edged/sinks/spec"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
)

func env(t *testing.T) (spec.Env, *await.Log) {
	log := &await.Log{}
	return spec.Env{Name: "tsdb", DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: metrics.NewSet()}, log
}

// server takes what it can read as line protocol, and answers 400 to everything else. answer, if set, may answer instead.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	taken  []sinktest.Arrival
	points []point
	last   *http.Request
	answer func(w http.ResponseWriter, r *http.Request, points []point) bool
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	var points []point
	if err == nil {
		points, err = parseAll(string(body))
	}
	s.mu.Lock()
	answer := s.answer
	s.last = r
	s.mu.Unlock()
	if answer != nil && answer(w, r, points) {
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, sinktest.Arrival{Key: r.Header.Get("Idempotency-Key"), Body: body})
	s.points = append(s.points, points...)
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) set(answer func(http.ResponseWriter, *http.Request, []point) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *server) arrivals() []sinktest.Arrival { s.mu.Lock(); defer s.mu.Unlock(); return s.taken }

func (s *server) request() *http.Request { s.mu.Lock(); defer s.mu.Unlock(); return s.last }

func (s *server) refuse(after []edged.Delivery) (accept func()) {
	left := map[string]bool{}
	for _, d := range after {
		left[d.Key] = true
	}
	s.set(func(w http.ResponseWriter, r *http.Request, _ []point) bool {
		if left[r.Header.Get("Idempotency-Key")] {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	return func() { s.set(nil) }
}

func (s *server) hang() (reached <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(in) })
	s.set(func(http.ResponseWriter, *http.Request, []point) bool { once(); <-out; return true })
	return in, func() { s.set(nil); close(out) }
}

func open(t *testing.T, c *Config, e spec.Env) edged.Sink {
	t.Helper()
	s := c.New(e)
	if err := s.Open(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func one(key string, cells ...edged.Value) edged.Delivery {
	return edged.Delivery{Key: key, Rows: rowsOf([]string{"time", "topic", "payload"}, cells...)}
}

func reading(ns int64, v edged.Value) []edged.Value {
	return []edged.Value{edged.TimeValue(ns), edged.TextValue("site/1"), v}
}

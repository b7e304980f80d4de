package harness

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Server is an HTTP endpoint that takes rows and remembers the keys under which they came.
type Server struct {
	*httptest.Server
	mu     sync.Mutex
	hold   func()                                 // before an answer
	answer func(r *http.Request, body string) int // nil: 204
	keys   []string
	bodies map[string]string
	rows   []map[string]any
	twice  []string // keys that came again after they were taken
	other  []string // keys that came with different bytes
}

// NewServer starts an endpoint on loopback.
func NewServer(t testing.TB) *Server {
	s := &Server{bodies: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Answer sets how the endpoint answers from now on: a status code for each request; nil takes everything.
func (s *Server) Answer(f func(r *http.Request, body string) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Hold has every request wait for f, without an answer; nil lets them pass.
func (s *Server) Hold(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = f
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	body, key := string(text), r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		hold()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.bodies["seen "+key]; ok && before != body {
		s.other = append(s.other, key)
	}
	s.bodies["seen "+key] = body
	if s.answer != nil {
		if code := s.answer(r, body); code != http.StatusNoContent {
			w.WriteHeader(code)
			return
		}
	}
	if _, ok := s.bodies[key]; ok {
		s.twice = append(s.twice, key)
	} else {
		s.keys, s.bodies[key] = append(s.keys, key), body
		for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
			var row map[string]any
			if json.Unmarshal([]byte(line), &row) == nil {
				s.rows = append(s.rows, row)
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// Rows are the rows taken so far, those of a repeated key once.
func (s *Server) Rows() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]map[string]any(nil), s.rows...)
}

// Keys are the keys taken so far, in order; those that came again; and those that came with different bytes.
func (s *Server) Keys() (keys, twice, other []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.keys...), append([]string(nil), s.twice...), append([]string(nil), s.other...)
}

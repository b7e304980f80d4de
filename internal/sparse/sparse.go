// Package sparse logs what others can cause as often as they like, so that it does not fill the disk.
package sparse

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Burst is how many lines are logged at once; after them it is one a second.
const Burst = 20

// Log is a bounded log. Say may be called from any goroutine.
type Log struct {
	log *slog.Logger
	key string

	mu    sync.Mutex
	limit *rate.Limiter
	left  int
}

// New makes one. What is left out is counted, and the next line carries the count with the given key.
func New(log *slog.Logger, key string) *Log {
	return &Log{log: log, key: key, limit: rate.NewLimiter(rate.Every(time.Second), Burst)}
}

// Say logs, or counts.
func (s *Log) Say(level slog.Level, msg string, args ...any) {
	s.mu.Lock()
	if !s.limit.Allow() {
		s.left++
		s.mu.Unlock()
		return
	}
	if s.left > 0 {
		args = append(args, s.key, s.left)
		s.left = 0
	}
	s.mu.Unlock()
	s.log.Log(context.Background(), level, msg, args...)
}

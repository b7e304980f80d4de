package receiver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// sparse logs what others can cause as often as they like: 20 lines at once, then one a second. What is left out is counted, and
// the next line carries the count as "not_logged".
type sparse struct {
	log *slog.Logger

	mu    sync.Mutex
	limit *rate.Limiter
	left  int
}

func newSparse(log *slog.Logger) *sparse {
	return &sparse{log: log, limit: rate.NewLimiter(rate.Every(time.Second), 20)}
}

// say logs, or counts.
func (s *sparse) say(level slog.Level, msg string, args ...any) {
	s.mu.Lock()
	if !s.limit.Allow() {
		s.left++
		s.mu.Unlock()
		return
	}
	if s.left > 0 {
		args = append(args, "not_logged", s.left)
		s.left = 0
	}
	s.mu.Unlock()
	s.log.Log(context.Background(), level, msg, args...)
}

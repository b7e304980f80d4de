package exec

import (
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

const (
	saidBurst = 20  // lines of standard error that are logged at once; then one a second
	saidSize  = 500 // bytes of a line that are logged
	lastLines = 3   // lines that stand in the error about an end
)

// said takes a life's standard error: into the log, within bounds, and the last lines for the error about its end.
type said struct {
	log     *slog.Logger
	limiter *rate.Limiter

	mu      sync.Mutex
	last    []string
	skipped int
}

func newSaid(log *slog.Logger) *said { return &said{log: log, limiter: rate.NewLimiter(1, saidBurst)} }

func (s *said) line(b []byte) {
	text := printable(string(b), saidSize)
	if text == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = append(s.last, text)
	s.last = s.last[max(len(s.last)-lastLines, 0):]
	switch {
	case !s.limiter.Allow():
		s.skipped++
	case s.skipped > 0:
		s.log.Info("the sink's program says", "text", text, "lines_left_out", s.skipped)
		s.skipped = 0
	default:
		s.log.Info("the sink's program says", "text", text)
	}
}

// words are the last lines, for an error: "" if there are none.
func (s *said) words() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) == 0 {
		return ""
	}
	return ", saying: " + printable(strings.Join(s.last, " / "), 2*textSize)
}

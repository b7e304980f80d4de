// Package seldom logs what can happen ten thousand times a second: the first of a kind at once, and after that one line a
// minute that says how many more there were.
package seldom

import (
	"log/slog"
	"sync"
	"time"
)

// Every is the shortest time between two lines of one kind.
const Every = time.Minute

// Log is a logger for repeating events. Its methods can be called from any goroutine and do not block on each other for
// longer than a line takes to be written.
type Log struct {
	to *slog.Logger

	mu    sync.Mutex
	kinds map[string]*kind
}

type kind struct {
	last    time.Time
	skipped int
}

// New makes a Log that writes to log.
func New(log *slog.Logger) *Log { return &Log{to: log, kinds: map[string]*kind{}} }

// Warn writes a warning unless one of the same kind was written within Every. What was left out is counted, and the next
// line of the kind carries the count as "not_logged". The set of kinds is the program's, never a client's: it is not
// bounded here.
func (l *Log) Warn(of, msg string, args ...any) {
	l.mu.Lock()
	k := l.kinds[of]
	if k == nil {
		k = &kind{}
		l.kinds[of] = k
	}
	now := time.Now()
	if !k.last.IsZero() && now.Sub(k.last) < Every {
		k.skipped++
		l.mu.Unlock()
		return
	}
	skipped := k.skipped
	k.last, k.skipped = now, 0
	l.mu.Unlock()
	if skipped > 0 {
		args = append(args, "not_logged", skipped)
	}
	l.to.Warn(msg, args...)
}

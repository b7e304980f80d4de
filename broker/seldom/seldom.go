// Package seldom logs what can happen ten thousand times a second: the first of a kind at once, and after that one line a
// minute that says how many more there were.
package seldom

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Every is the shortest time between two lines of one kind.
const Every = time.Minute

// waiting is how many lines may wait to be written: more than there are kinds, which is what a burst can bring at once.
const waiting = 256

// Log is a logger for repeating events. Its methods can be called from any goroutine, also with locks: they never wait for a
// line to be written. A goroutine does that, in their order, while there are any.
type Log struct {
	to *slog.Logger

	mu      sync.Mutex
	kinds   map[string]*kind
	lines   []slog.Record // to be written
	lost    int           // lines for which there was no room, since it was said
	writing bool          // the goroutine is there
}

type kind struct {
	last    time.Time
	skipped int
}

// New makes a Log that writes to log.
func New(log *slog.Logger) *Log { return &Log{to: log, kinds: map[string]*kind{}} }

// Warn writes a warning unless one of the same kind was written within Every. What was left out is counted, and the next
// line of the kind carries the count as "not_logged". The set of kinds is the program's, never a client's: it is not
// bounded here. What args point to must not change any more: it is read when the line is written.
//
// When the log is written too slowly lines are lost, and their number is logged as soon as it can be.
func (l *Log) Warn(of, msg string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k := l.due(of, now)
	switch {
	case k == nil:
		return
	case len(l.lines) >= waiting:
		l.lost++ // the next of the kind is due as before
		return
	}
	r := slog.NewRecord(now, slog.LevelWarn, msg, 0)
	r.Add(args...)
	if k.skipped > 0 {
		r.Add("not_logged", k.skipped)
	}
	k.last, k.skipped = now, 0
	l.queue(r)
}

// Due reports whether Warn would write a line of this kind now. If not it counts the event, as Warn does, and Warn need not be
// called: where events are many this saves putting the arguments together.
func (l *Log) Due(of string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.due(of, time.Now()) != nil
}

// due returns the kind if a line of it is due, or counts the event and returns nil.
func (l *Log) due(of string, now time.Time) *kind {
	k := l.kinds[of]
	if k == nil {
		k = &kind{}
		l.kinds[of] = k
	}
	if !k.last.IsZero() && now.Sub(k.last) < Every {
		k.skipped++
		return nil
	}
	return k
}

func (l *Log) queue(r slog.Record) {
	l.lines = append(l.lines, r)
	if !l.writing {
		l.writing = true
		go l.write() // ends when there is nothing to write
	}
}

func (l *Log) write() {
	for {
		r, ok := l.next()
		if !ok {
			return
		}
		ctx := context.Background()
		if h := l.to.Handler(); h.Enabled(ctx, r.Level) {
			_ = h.Handle(ctx, r) // as slog.Logger does: nobody is there to be told
		}
	}
}

func (l *Log) next() (r slog.Record, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.lines) > 0:
		r, l.lines = l.lines[0], l.lines[1:]
		return r, true
	case l.lost > 0:
		r = slog.NewRecord(time.Now(), slog.LevelWarn, "lines of the log are missing: it could not be written as quickly as they came", 0)
		r.Add("lines", l.lost)
		l.lost = 0
		return r, true
	}
	l.lines, l.writing = nil, false
	return r, false
}

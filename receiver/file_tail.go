package receiver

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"edged"

	"github.com/VictoriaMetrics/metrics"
)

const (
	// linger is how long a file that was rotated away is still read: its writer goes on with it until it opens the new one.
	linger = time.Minute
	// pollEvery is how often files are looked at although nobody said that they have changed: some file systems tell nothing.
	pollEvery = 5 * time.Second
	// settleWithin bounds how long a stop waits for lines that were taken, and then for their position.
	settleWithin = time.Second
	// chunk is read at once from one file, before the next one's turn.
	chunk = 64 << 10
)

// tail is the receiver of a File. It belongs to the goroutine that runs Run; only passed is told things by others.
type tail struct {
	File
	log     *slog.Logger
	notes   Notes
	tooLong *metrics.Counter
	linger  time.Duration

	kept     *kept
	watch    watch
	looked   time.Time // when it looked for files
	followed []*followed
	said     map[string]string // by path: why it cannot be read, as logged last
	longSaid time.Time
	buf      []byte
	h        edged.Handler
	idle     func() // for tests: called before Run waits for changes
}

// Run implements edged.Receiver.
func (t *tail) Run(ctx context.Context, h edged.Handler) error {
	t.h, t.looked, t.buf = h, time.Time{}, make([]byte, chunk)
	t.kept.load(t)
	err := t.follow(ctx)
	t.settle()
	return ignoreEnd(ctx, err)
}

// ignoreEnd takes away an error that comes from being told to stop.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (t *tail) follow(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	defer t.watch.close()
	for {
		if err := t.readAll(ctx); err != nil {
			return err
		}
		if t.idle != nil {
			t.idle()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.watch.written():
		case <-t.watch.moved():
			t.looked = time.Time{}
		case <-t.kept.news: // a commit
		case <-second.C:
		}
		if err := t.failed(); err != nil {
			return err
		}
		t.save()
	}
}

// readAll reads every file to its end. As long as one that was rotated away has something, no other is read.
func (t *tail) readAll(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := t.look(ctx); err != nil {
			return err
		}
		n, err := t.readEach(ctx, true)
		if n == 0 && err == nil {
			n, err = t.readEach(ctx, false)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return t.retire(ctx)
		}
	}
	return nil
}

// look looks for files, if it is time to.
func (t *tail) look(ctx context.Context) error {
	select {
	case <-t.watch.moved():
		t.looked = time.Time{}
	default:
	}
	if time.Since(t.looked) < pollEvery {
		return nil
	}
	t.looked = time.Now()
	t.watch.open(filepath.Dir(t.Path), t.matches) // before it is looked, so that nothing falls in between
	t.find()
	return t.kept.begin(ctx, t)
}

// readEach reads once from every file that is away, or from every other one.
func (t *tail) readEach(ctx context.Context, away bool) (total int, err error) {
	for _, s := range t.followed {
		if s.away != away {
			continue
		}
		n, err := t.readOnce(ctx, s)
		total += n
		if err != nil {
			return total, fmt.Errorf("%s: %w", s.path, err)
		}
	}
	return total, nil
}

func (t *tail) readOnce(ctx context.Context, s *followed) (n int, err error) {
	why, err := s.replaced()
	if err == nil && why != "" {
		t.log.Info("the file was cut short or written anew: it is read from its beginning; what was written to it before and not read by then is lost", "file", s.path, "found", why)
		err = s.begin(0, t.kept.news)
	}
	if err == nil {
		n, err = s.lines(t.buf, func(line []byte, end int64) error { return t.line(ctx, s, line, end) })
	}
	if n > 0 {
		s.quiet = time.Now()
	}
	return n, err
}

// line passes on one line.
func (t *tail) line(ctx context.Context, s *followed, line []byte, end int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	} else if line == nil {
		t.leaveOut(s, end)
	}
	if len(line) == 0 {
		s.passed.skip(end)
		return nil
	}
	token := s.passed.line(end)
	if err := t.h.Take(ctx, &edged.Message{Topic: s.topic, Payload: line, QoS: 1}, s.passed, token); err != nil {
		return err
	}
	t.save()
	return nil
}

// leaveOut counts a line that is too long, and says so now and then.
func (t *tail) leaveOut(s *followed, end int64) {
	t.tooLong.Inc()
	if time.Since(t.longSaid) >= time.Minute {
		t.longSaid = time.Now()
		t.log.Warn("a line is longer than max_line and is left out; further ones within a minute are only counted (edged_receiver_lines_too_long_total)", "file", s.path, "ends_at", end, "max_line", t.MaxLine)
	}
}

// retire ends the reading of files that were rotated away and have been quiet for long enough. What stands at the end of such
// a file without a newline is its last line.
func (t *tail) retire(ctx context.Context) error {
	kept := t.followed[:0]
	for i, s := range t.followed {
		if !s.away || time.Since(s.quiet) < t.linger {
			kept = append(kept, s)
			continue
		}
		if len(s.rest) > 0 && !s.tooLong {
			if err := t.line(ctx, s, s.rest, s.read); err != nil {
				t.followed = append(kept, t.followed[i:]...)
				return err
			}
		}
		s.rest = nil
		if _, settled, _ := s.passed.state(); !settled {
			kept = append(kept, s)
			continue
		}
		t.kept.done(s.place(true))
		s.f.Close()
	}
	clear(t.followed[len(kept):])
	t.followed = kept
	return nil
}

// failed is what kept a line off the disk: Run ends with it and begins again behind the last line that is stored.
func (t *tail) failed() error {
	for _, s := range t.followed {
		if _, _, err := s.passed.state(); err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
	}
	return nil
}

// settle waits for lines that are on their way into the store, saves the positions, and lets go of the files.
func (t *tail) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	for !t.settled() && t.failed() == nil && ctx.Err() == nil {
		select {
		case <-t.kept.news:
		case <-ctx.Done():
		}
	}
	t.kept.finish(t)
	for _, s := range t.followed {
		s.f.Close()
	}
	t.followed = nil
}

func (t *tail) settled() bool {
	for _, s := range t.followed {
		if _, settled, _ := s.passed.state(); !settled {
			return false
		}
	}
	return true
}

package receiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"edged"
)

// A file that was written to less than tableFresh ago may still be: it is looked at again after tableSettle, and taken when it is as it was.
const (
	tableFresh  = 10 * time.Second
	tableSettle = 250 * time.Millisecond
)

// tableFile is the receiver of a Table. It belongs to the goroutine that runs Run.
type tableFile struct {
	Table
	env   Env
	log   *slog.Logger
	poked chan struct{} // there is something to look at

	loaded bool
	stored string    // digest of the table that was stored last; "" if that is not known
	at     edged.Pos // where; zero if that was in another life
	looked look      // the file that is known to be that one
	said   string    // what keeps it from being read, as logged last
	idle   func()    // for tests: called before Run waits
}

// look is what the file system says of a file.
type look struct {
	id   identity
	size int64
	at   time.Time // it was written to
}

func lookOf(fi os.FileInfo) look { return look{identityOf(fi), fi.Size(), fi.ModTime()} }

func (l look) same(o look) bool { return l.id == o.id && l.size == o.size && l.at.Equal(o.at) }

// Run implements edged.Receiver.
func (t *tableFile) Run(ctx context.Context, h edged.Handler) error {
	t.load()
	tick := time.NewTicker(t.Every.D())
	defer tick.Stop()
	for {
		if err := t.look(ctx, h); err != nil {
			return ignoreEnd(ctx, err)
		}
		if t.idle != nil {
			t.idle()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-t.poked:
			t.looked = look{} // somebody says that it may be another one
		}
	}
}

// load reads, once, what was stored last. If that is not known the table is offered again, which changes nothing for who has it.
func (t *tableFile) load() {
	if t.loaded {
		return
	}
	t.loaded = true
	value, err := t.env.Notes.Load(t.env.Name)
	if err != nil {
		t.log.Warn("it is not known any more which table was stored last: it is stored again", "path", t.Path, "error", err)
		return
	}
	t.stored = string(value)
}

// look offers the table if its file holds another one than was stored last, or if a stream wants it.
func (t *tableFile) look(ctx context.Context, h edged.Handler) error {
	wanted := t.env.Wanted != nil && t.env.Wanted(t.at)
	text, seen, err := t.read(ctx, wanted)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.say(err)
	if err != nil || text == nil {
		return nil
	}
	sum := digest(text)
	if sum == t.stored && !wanted {
		t.note(seen)
		return nil
	}
	stored := newTally()
	if err := h.Take(ctx, &edged.Message{Topic: t.Topic.of(t.env.Name, ""), Payload: text, QoS: 1}, stored, 0); err != nil {
		return err
	}
	if err := stored.wait(ctx, 1); err != nil {
		return fmt.Errorf("the table could not be stored, and is offered again: %w", err)
	}
	t.stored, t.at = sum, stored.at
	t.note(seen)
	t.log.Info("the table was stored", "path", t.Path, "bytes", len(text), "because_a_stream_wants_it", wanted)
	t.env.Notes.Save(t.env.Name, []byte(sum), func(err error) {
		if err != nil {
			t.log.Warn("it could not be noted which table was stored: it may be stored again after a restart", "path", t.Path, "error", err)
		}
	})
	return nil
}

// note takes a look for that of the table that is stored. One at a file that was written to just now is not: file systems that count in seconds show a further
// change of the same length as none.
func (t *tableFile) note(seen look) {
	if t.looked = seen; time.Since(seen.at).Abs() < tableFresh {
		t.looked = look{}
	}
}

func digest(text []byte) string { s := sha256.Sum256(text); return hex.EncodeToString(s[:]) }

// read reads the file, if it is not known already; nil without an error if it is. again has it read in any case.
func (t *tableFile) read(ctx context.Context, again bool) (text []byte, seen look, err error) {
	f, err := os.Open(t.Path)
	if err != nil {
		return nil, seen, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, seen, err
	}
	switch seen = lookOf(fi); {
	case seen.same(t.looked) && !again:
		return nil, seen, nil
	case !fi.Mode().IsRegular():
		return nil, seen, errors.New("it is no regular file")
	case seen.size > int64(t.MaxBytes):
		return nil, seen, t.tooLarge(seen.size)
	case seen.size == 0:
		return nil, seen, errors.New("it is empty: a table without rows has its heading at least")
	}
	if time.Since(seen.at).Abs() < tableFresh { // a clock that was set says nothing: then it counts as written long ago
		select {
		case <-ctx.Done():
			return nil, seen, ctx.Err()
		case <-time.After(min(tableSettle, t.Every.D())):
		}
	}
	if text, err = io.ReadAll(io.LimitReader(f, int64(t.MaxBytes)+1)); err != nil {
		return nil, seen, err
	}
	after, err := os.Stat(t.Path)
	if err != nil {
		return nil, seen, err
	}
	if !lookOf(after).same(seen) || int64(len(text)) != seen.size {
		return nil, seen, nil // it is being written, or has just been replaced: the next look sees it as it is then
	}
	return text, seen, nil
}

// say says once what keeps the table from being read, and once that it is over.
func (t *tableFile) say(err error) {
	why := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "it is not there"
	case err != nil:
		why = err.Error()
	}
	switch {
	case why != "" && why != t.said:
		t.log.Warn("the table cannot be read: the one before stays in force", "path", t.Path, "error", why)
	case why == "" && t.said != "":
		t.log.Info("the table can be read again", "path", t.Path)
	}
	t.said = why
}

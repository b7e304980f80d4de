package receiver

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/await"
)

func TestAFileIsReadAsItGrows(t *testing.T) {
	path, r := logFile(t), &reader{}
	write(t, path, "a\r\n\nb\n")
	f := begin(t, newTail(path, &shelf{}, nil), r)
	r.has(t, "a", "b")
	write(t, path, "c\nd\n")
	r.has(t, "a", "b", "c", "d")
	f.stop(t)
	if n := f.notes.(*shelf).offset(t); n != 10 {
		t.Errorf("the position is %d", n)
	}
}

// A line is taken when its newline is there, not before.
func TestALineWithoutNewlineIsWaitedFor(t *testing.T) {
	path, r := logFile(t), &reader{}
	write(t, path, "ab")
	x := newTail(path, &shelf{}, nil)
	half := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	x.idle = sync.OnceFunc(func() {
		if len(x.followed) == 1 && x.followed[0].read == 2 {
			close(half)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx, r) }()
	<-half
	write(t, path, "cd\ne")
	r.has(t, "abcd")
	cancel()
	ok(t, <-ended)
	if n := x.notes.(*shelf).offset(t); n != 5 {
		t.Errorf("the position is %d: the half line must come again", n)
	}
}

func TestRotationByRename(t *testing.T) {
	path, r := logFile(t), &reader{held: make(chan struct{})}
	write(t, path, "a1\n")
	begin(t, newTail(path, &shelf{}, nil), r)
	await.Soon(t, "the first line is offered", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.asked > 0 })
	write(t, path, "a2\n")
	ok(t, os.Rename(path, path+".1"))
	write(t, path+".1", "a3\n")
	write(t, path, "b1\n")
	close(r.held)
	r.has(t, "a1", "a2", "a3", "b1")
	write(t, path+".1", "a4\n") // its writer has not opened the new one yet
	r.has(t, "a1", "a2", "a3", "b1", "a4")
}

// What is at the end of a file that was rotated away is a line, newline or not; and the file is let go then.
func TestTheLastLineOfARotatedFile(t *testing.T) {
	path, r, s := logFile(t), &reader{}, &shelf{}
	write(t, path, "a1\na2")
	f := begin(t, newTail(path, s, func(x *tail) { x.linger = 0 }), r)
	r.has(t, "a1")
	ok(t, os.Rename(path, path+".1"))
	r.has(t, "a1", "a2")
	write(t, path, "b1\n")
	r.has(t, "a1", "a2", "b1")
	await.Soon(t, "the position says that it is done", func() bool { return strings.Contains(string(s.copy().value), `"done":true`) })
	f.stop(t)
}

func TestCopyTruncate(t *testing.T) {
	path, r, s := logFile(t), &reader{}, &shelf{}
	write(t, path, "old line 1\nold line 2\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "old line 1", "old line 2")
	ok(t, os.Truncate(path, 0))
	write(t, path, "n1\n")
	r.has(t, "old line 1", "old line 2", "n1")
	f.stop(t)
	if n := s.offset(t); n != 3 {
		t.Errorf("the position is %d", n)
	}
}

// A file that was written anew is known by its first bytes, though it is longer than what was read of the old one.
func TestAFileThatIsWrittenAnewAndLonger(t *testing.T) {
	path, r := logFile(t), &reader{held: make(chan struct{})}
	write(t, path, "old 1\n")
	begin(t, newTail(path, &shelf{}, nil), r)
	await.Soon(t, "the first line is offered", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.asked > 0 })
	ok(t, os.Truncate(path, 0))
	write(t, path, "new 1\nnew 2\n")
	close(r.held)
	r.has(t, "old 1", "new 1", "new 2")
}

// A file that goes and comes back is not read twice.
func TestAFileThatIsAwayForAWhile(t *testing.T) {
	path, r := logFile(t), &reader{}
	write(t, path, "a1\n")
	x := newTail(path, &shelf{}, func(x *tail) { x.linger = 0 })
	f := begin(t, x, r)
	r.has(t, "a1")
	elsewhere := filepath.Join(t.TempDir(), "meter.log")
	ok(t, os.Rename(path, elsewhere))
	gone := make(chan struct{})
	f.stop(t)
	x.idle = sync.OnceFunc(func() { close(gone) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx, r) }()
	<-gone
	write(t, elsewhere, "a2\n")
	ok(t, os.Rename(elsewhere, path))
	r.has(t, "a1", "a2")
	cancel()
	ok(t, <-ended)
}

func TestTooLongLinesAreLeftOut(t *testing.T) {
	path, r := logFile(t), &reader{}
	write(t, path, "a\n"+strings.Repeat("x", 3*chunk)+"\nb\n"+strings.Repeat("y", 101)+"\n"+strings.Repeat("z", 100)+"\n")
	x := newTail(path, &shelf{}, func(x *tail) { x.MaxLine = 100 })
	f := begin(t, x, r)
	r.has(t, "a", "b", strings.Repeat("z", 100))
	f.stop(t)
	if n := x.tooLong.Get(); n != 2 {
		t.Errorf("%d lines are counted", n)
	}
	if n := x.notes.(*shelf).offset(t); n != int64(2+3*chunk+1+2+102+101) {
		t.Errorf("the position is %d", n)
	}
}

func TestAPatternFollowsManyFiles(t *testing.T) {
	dir, r := t.TempDir(), &reader{}
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("a.log"), "a1\n")
	write(t, at("a.log.gz"), "packed\n")
	write(t, at("other"), "no\n")
	begin(t, newTail(at("*.log*"), &shelf{}, func(x *tail) { x.Topic = "{name}/{file}" }), r)
	list := func(want ...string) {
		t.Helper()
		await.Soon(t, "lines are taken", func() bool { return len(r.list()) >= len(want) })
		if got := r.list(); !slices.Equal(got, want) {
			t.Fatalf("took %q, want %q", got, want)
		}
	}
	list("r/a.log a1")
	write(t, at("b+.log"), "b1\n")
	list("r/a.log a1", "r/b_.log b1")
	ok(t, os.Rename(at("a.log"), at("a.log.1"))) // it still matches, and is the same file
	write(t, at("a.log.1"), "a2\n")
	list("r/a.log a1", "r/b_.log b1", "r/a.log a2")
}

// A receiver that was never here begins at the end, where a whole line begins; what appears later is read from its beginning.
func TestStartAtTheEnd(t *testing.T) {
	path, r, s := logFile(t), &reader{}, &shelf{}
	write(t, path, "old\nhal")
	f := begin(t, newTail(path, s, func(x *tail) { x.Start = "end" }), r)
	f.waitIdle(t)
	if s.offset(t) != 4 { // a crash now must not begin at a later end
		t.Error("the beginning was not saved before it was read")
	}
	write(t, path, "f\n")
	r.has(t, "half")
	ok(t, os.Rename(path, path+".1"))
	write(t, path, "new\n")
	r.has(t, "half", "new")
	f.stop(t)
}

func TestPositionsAreNotSavedForEveryLine(t *testing.T) {
	path, r, s := logFile(t), &reader{}, &shelf{}
	text := ""
	for i := range 5000 {
		text += strconv.Itoa(i) + "\n"
	}
	write(t, path, text)
	began := time.Now()
	f := begin(t, newTail(path, s, nil), r)
	await.Soon(t, "all lines are taken", func() bool { return len(r.list()) == 5000 })
	f.stop(t)
	if most := 4 + int(time.Since(began)/saveEvery); s.saves > most || s.offset(t) != int64(len(text)) {
		t.Errorf("%d saves, at most %d are expected; position %d of %d", s.saves, most, s.offset(t), len(text))
	}
}

package reload

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"edged/test/await"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader is a part: it has what its file held when it was last called.
type reader struct {
	path  string
	calls atomic.Int64
	has   atomic.Pointer[string]
}

func (r *reader) read() error {
	defer r.calls.Add(1)
	text, err := os.ReadFile(r.path)
	if err != nil {
		return err
	}
	if string(text) == "bad" {
		return errors.New("it is bad")
	}
	s := string(text)
	r.has.Store(&s)
	return nil
}

func (r *reader) holds(t *testing.T, want string) {
	t.Helper()
	await.Soon(t, "the part has "+want, func() bool { s := r.has.Load(); return s != nil && *s == want })
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace writes a file that is never seen half written.
func replace(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".tmp", text)
	ok(t, os.Rename(path+".tmp", path))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// group runs a group with a reader for each path until the test ends. change is applied to it before.
func group(t *testing.T, change func(*Group), paths ...string) (*Group, *await.Log, []*reader) {
	t.Helper()
	log := &await.Log{}
	g := New(slog.New(slog.NewTextHandler(log, nil)))
	if change != nil {
		change(g)
	}
	var readers []*reader
	for _, path := range paths {
		r := &reader{path: path}
		g.Add(filepath.Base(path), []string{path}, r.read)
		readers = append(readers, r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return g, log, readers
}

// Every way in which a file comes to hold something else is noticed, one after the other on the same file.
func TestEveryWayOfReplacing(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir := filepath.Join(base, "live")
	ok(t, os.Mkdir(dir, 0o700))
	path, other := filepath.Join(dir, "token"), filepath.Join(dir, "other")
	write(t, path, "0")
	write(t, other, "other")
	_, _, r := group(t, nil, path, other)
	for _, way := range []struct {
		name string
		do   func(text string)
	}{
		{"written in place", func(text string) { write(t, path, text) }},
		{"renamed over", func(text string) { replace(t, path, text) }},
		{"an editor with a backup", func(text string) { ok(t, os.Rename(path, path+"~")); write(t, path, text) }},
		{"removed and made", func(text string) { ok(t, os.Remove(path)); write(t, path, text) }},
		{"linked elsewhere", func(text string) {
			write(t, filepath.Join(base, text), text)
			ok(t, os.Symlink(filepath.Join(base, text), path+".new"))
			ok(t, os.Rename(path+".new", path))
		}},
		{"written where it links to", func(text string) {
			target, err := os.Readlink(path)
			ok(t, err)
			write(t, target, text)
		}},
		{"the directory exchanged", func(text string) {
			ok(t, os.Rename(dir, dir+".old"))
			ok(t, os.Mkdir(dir, 0o700))
			write(t, other, "other")
			write(t, path, text)
		}},
		{"written in the new directory", func(text string) { write(t, path, text) }},
		{"the directory a link", func(text string) {
			ok(t, os.Rename(dir, dir+".v1"))
			ok(t, os.Symlink("live.v1", dir))
			write(t, path, text)
		}},
		{"that link exchanged", func(text string) {
			ok(t, os.Mkdir(dir+".v2", 0o700))
			write(t, filepath.Join(dir+".v2", "other"), "other")
			write(t, filepath.Join(dir+".v2", "token"), text)
			ok(t, os.Symlink("live.v2", dir+".new"))
			ok(t, os.Rename(dir+".new", dir))
		}},
	} {
		if !t.Run(way.name, func(t *testing.T) {
			way.do(way.name)
			r[0].holds(t, way.name)
		}) {
			break
		}
	}
}

// A file that is not there for longer, or that cannot be used, leaves what was read before; when it is right again it is used.
func TestWhatCannotBeUsedIsSaidAndTheOldStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, "first")
	g, log, r := group(t, nil, path)
	g.All()
	r[0].holds(t, "first")
	replace(t, path, "bad")
	await.Soon(t, "the error is logged", func() bool { return log.Count(`error="it is bad"`) == 1 })
	ok(t, os.Remove(path))
	await.Soon(t, "the missing file is logged", func() bool { return log.Count("no such file") == 1 })
	if n := log.Count("stays in use"); n != 2 {
		t.Errorf("%d times it is said that the old state stays:\n%s", n, log)
	}
	r[0].holds(t, "first")
	replace(t, path, "second")
	r[0].holds(t, "second")
}

// Only the part whose file changed is called, however much happens next to it.
func TestOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "a0")
	write(t, b, "b0")
	_, _, r := group(t, nil, a, b)
	for range 100 {
		write(t, filepath.Join(dir, "data"), "x")
	}
	replace(t, b, "b1")
	r[1].holds(t, "b1")
	if n := r[0].calls.Load(); n != 0 {
		t.Errorf("a was read %d times", n)
	}
	if n := r[1].calls.Load(); n != 1 {
		t.Errorf("b was read %d times", n)
	}
}

// A change between Add and Run is found.
func TestAChangeBeforeRunIsFound(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, "before")
	r := &reader{path: path}
	_, _, _ = group(t, func(g *Group) {
		g.Add("token", []string{path}, r.read)
		write(t, path, "after")
	})
	r.holds(t, "after")
}

// SIGHUP reads everything, also what has not changed, and one part's error does not keep the others from it.
func TestAllReadsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "bad")
	write(t, filepath.Join(dir, "b"), "b")
	g, log, r := group(t, nil, filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	g.All()
	r[1].holds(t, "b")
	await.Soon(t, "what was read is said", func() bool { return log.Count(`read="[a b]"`) == 1 })
	if log.Count("of=a why=\"it was asked for\" error=") != 1 {
		t.Errorf("the error is not said:\n%s", log)
	}
}

// Where the kernel gives no watch that is said once, and SIGHUP remains.
func TestWithoutInotify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "1")
	write(t, b, "1")
	for name, open := range map[string]func() (*fsnotify.Watcher, error){
		"no watcher": func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") },
		"no watches": func() (*fsnotify.Watcher, error) {
			w, err := fsnotify.NewWatcher()
			if err == nil {
				w.Close()
			}
			return w, err
		},
	} {
		g, log, r := group(t, func(g *Group) { g.open = open }, a, b)
		g.All()
		r[0].holds(t, "1")
		r[1].holds(t, "1")
		if n := log.Count("cannot be watched"); n != 1 {
			t.Errorf("%s: said %d times:\n%s", name, n, log)
		}
	}
}

// Links in a circle end.
func TestLinksInACircle(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	ok(t, os.Symlink("b", path))
	ok(t, os.Symlink("a", filepath.Join(dir, "b")))
	dirs, names := lookups(path)
	if len(names) > maxLinks || len(dirs) == 0 || strings.Contains(strings.Join(dirs, " "), "/a") {
		t.Errorf("%v, %v", dirs, names)
	}
}

package receiver

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/receiver/receivertest"
	"edged/test/await"
)

// writing is a table file and the receiver that looks at it.
type writing struct {
	*tableFile
	shelf  *shelf
	wanted atomic.Bool
	looks  atomic.Int64
	ended  chan struct{} // closed when Run has returned
}

func newTable(path string, s *shelf) *writing {
	c := DefaultTable()
	c.Path, c.Every, c.Topic = path, conf.Duration(20*time.Millisecond), "devices"
	w := &writing{shelf: s, ended: make(chan struct{})}
	w.tableFile = c.New(Env{Name: "devices", Log: slog.New(slog.DiscardHandler), Notes: s, Wanted: func(edged.Pos) bool { return w.wanted.Load() }}).(*tableFile)
	w.idle = func() { w.looks.Add(1) }
	return w
}

// Run implements edged.Receiver.
func (w *writing) Run(ctx context.Context, h edged.Handler) error {
	defer close(w.ended)
	return w.tableFile.Run(ctx, h)
}

// replace puts a file in another's place, as editors do, and long ago.
func replace(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".next"
	ok(t, os.WriteFile(next, []byte(text), 0o600))
	long := time.Now().Add(-time.Hour)
	ok(t, os.Chtimes(next, long, long))
	ok(t, os.Rename(next, path))
}

// has waits until the store knows a table.
func (w *writing) has(text string) (ok bool) {
	for end := time.Now().Add(await.Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if v, _ := w.shelf.Load(""); string(v) == digest([]byte(text)) {
			return true
		}
		select {
		case <-w.ended:
			return false
		default:
		}
	}
	return false
}

func TestConformanceOfTable(t *testing.T) {
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		path := filepath.Join(t.TempDir(), "devices.csv")
		w := newTable(path, &shelf{})
		return w, func() {
			for _, p := range payloads {
				if replace(t, path, p); !w.has(p) {
					return
				}
			}
		}
	})
}

// table runs a receiver on a file until the test's end, or until stop.
func table(t *testing.T, path string, s *shelf) (w *writing, h *reader, stop func()) {
	t.Helper()
	w, h = newTable(path, s), &reader{}
	ctx, cancel := context.WithCancel(t.Context())
	go w.Run(ctx, h)
	stop = func() { cancel(); <-w.ended }
	t.Cleanup(stop)
	return w, h, stop
}

// settled waits until a receiver has looked twice.
func (w *writing) settled(t *testing.T) {
	t.Helper()
	n := w.looks.Load()
	await.Soon(t, "it has looked", func() bool { return w.looks.Load() > n+1 })
}

func (w *writing) took(t *testing.T, h *reader, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = "devices " + want[i]
	}
	await.Soon(t, fmt.Sprintf("it has taken %q", want), func() bool { return len(h.list()) >= len(want) })
	w.settled(t)
	if got := h.list(); !slices.Equal(got, want) {
		t.Fatalf("took %q, want %q", got, want)
	}
}

// A table is offered whole, once for each content, also over restarts; and again when a stream wants it.
func TestATableIsOfferedWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devices.csv")
	s := &shelf{}
	w, h, stop := table(t, path, s)
	w.settled(t) // it is not there
	w.took(t, h)
	replace(t, path, "a,b\n1,2\n")
	w.took(t, h, "a,b\n1,2\n")
	replace(t, path, "a,b\n1,2\n") // another file with the same content
	w.settled(t)
	replace(t, path, "a,b\n3,4\n")
	w.took(t, h, "a,b\n1,2\n", "a,b\n3,4\n")
	ok(t, os.Remove(path))
	w.settled(t)
	replace(t, path, "a,b\n3,4\n")
	w.took(t, h, "a,b\n1,2\n", "a,b\n3,4\n")
	w.has("a,b\n3,4\n")
	stop()

	w, h, stop = table(t, path, s.copy())
	w.took(t, h)
	w.wanted.Store(true)
	await.Soon(t, "it is offered again", func() bool { return len(h.list()) > 0 })
	w.wanted.Store(false)
	stop()
	s = s.copy()
	s.bad = fmt.Errorf("flipped bit")
	w, h, _ = table(t, path, s) // what was stored is not known
	w.took(t, h, "a,b\n3,4\n")
}

// A table that could not be stored is offered again; it is not known as stored before.
func TestATableIsKnownWhenItIsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devices.csv")
	replace(t, path, "x")
	s := &shelf{}
	w, h := newTable(path, s), &reader{acks: func(n int) (bool, error) {
		if n == 0 {
			return true, fmt.Errorf("no space left")
		}
		return true, nil
	}}
	if err := w.Run(t.Context(), h); err == nil || !strings.Contains(err.Error(), "no space left") || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(err)
	}
	if v, _ := s.Load(""); v != nil {
		t.Errorf("it is known as stored: %s", v)
	}
	w.ended = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go w.Run(ctx, h)
	defer func() { cancel(); <-w.ended }()
	if !w.has("x") || len(h.list()) != 2 {
		t.Errorf("%q", h.list())
	}
}

// A file that is written in pieces, that is empty, or that is too large is no table.
func TestATableThatIsBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devices.csv")
	w, h, _ := table(t, path, &shelf{})
	replace(t, path, "old\n")
	w.took(t, h, "old\n")
	ok(t, os.WriteFile(path, nil, 0o600)) // cut short, as a shell's > does
	w.settled(t)
	for range 30 {
		write(t, path, "row\n")
		time.Sleep(5 * time.Millisecond) // slower than a look; there is no event for what must not happen
	}
	await.Soon(t, "it is taken when it is whole", func() bool { return len(h.list()) > 1 })
	got := h.list()
	if last := got[len(got)-1]; last != "devices "+strings.Repeat("row\n", 30) {
		t.Errorf("took %q", got)
	}
	replace(t, path, strings.Repeat("x", int(w.MaxBytes)+1))
	w.settled(t)
	if n := len(h.list()); n != len(got) || !strings.Contains(w.said, "max_bytes") && w.looks.Load() < 0 {
		t.Errorf("%d tables", n)
	}
}

func TestMistakesInTables(t *testing.T) {
	for text, want := range map[string]string{
		`path = ""`:                              `f:2: [receiver.d] needs path, the file that holds the table, for example path = "devices.csv"`,
		"path = \"x.csv\"\nevery = \"1ms\"":      `f:3: every: it must be at least 100ms`,
		"path = \"x.csv\"\nmax_bytes = \"1GiB\"": `f:3: max_bytes: want 1 byte to 16MiB`,
		"path = \"x.csv\"\nsplit = \"lines\"":    `f:3: split: a table is one message; leave it out`,
		"path = \"x.csv\"\ntopic = \"{file}/#\"": `f:3: topic: {file} is not known here; there is {name}`,
		"path = \"/dev/null\"":                   `f:2: path: /dev/null is no regular file`,
	} {
		doc := conf.Parse("f", []byte("[receiver.d]\n"+text))
		sub := doc.Root().Sub("receiver").Sub("d")
		c := DefaultTable()
		sub.Bind(append([]any{DefaultCommon()}, c.Fields()...)...)
		c.Check(sub, Env{Name: "d", DataDir: t.TempDir()})
		var got []string
		for _, p := range doc.Problems() {
			got = append(got, p.String())
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s:\ngot  %q\nwant %q", text, got, want)
		}
	}
}

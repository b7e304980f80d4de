package file

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// newCloset makes a closet over a directory of the machine that holds the given files.
func newCloset(t *testing.T, files map[string]string) (*closet, *bytes.Buffer) {
	var log bytes.Buffer
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	env := envWith(slog.New(slog.NewTextHandler(&log, nil)))
	return &closet{fs: disk{}, log: env.Log, dir: dir, names: namingOf("raw.ndjson"), removed: newMeters(env).removed}, &log
}

func (c *closet) contents(t *testing.T) map[string]string {
	names, err := c.fs.List(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range names {
		got[name] = readFile(t, filepath.Join(c.dir, name))
	}
	return got
}

func packed(t *testing.T, name, text string) string {
	var b bytes.Buffer
	if err := packingNamed(name).copy(&b, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var day = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

const first, second, third = "raw-20261120T100000Z-9.ndjson", "raw-20261120T100000Z-10.ndjson", "raw-20200101T000000Z-11.ndjson"

func TestPackings(t *testing.T) {
	long := strings.Repeat(line("a"), 100_000)
	for name, ending := range map[string]string{"zstd": ".zst", "gzip": ".gz"} {
		for _, text := range []string{long, "", "x"} {
			c, log := newCloset(t, map[string]string{first: text})
			c.packing = packingNamed(name)
			c.tidy(t.Context())
			got := c.contents(t)
			back, err := unpacked(ending, got[first+ending])
			if len(got) != 1 || back != text || err != nil || log.Len() > 0 {
				t.Errorf("%s of %d bytes: %d files, %d bytes back, %v\n%s", name, len(text), len(got), len(back), err, log)
			}
		}
	}
}

func TestKeepsTheNewest(t *testing.T) {
	files := map[string]string{
		first: "1", second: "2", second + ".gz": packed(t, "gzip", "2"), third + ".zst": packed(t, "zstd", "3"),
		"raw.ndjson": "open", "raw-20261120T100000Z-010.ndjson": "theirs", "raw-20261120T100000Z-1.ndjson.bz2": "theirs",
		"raw-20261399T100000Z-1.ndjson": "theirs", "other-20261120T100000Z-1.ndjson": "theirs", "raw-20261120T100000Z-.ndjson": "theirs",
	}
	c, log := newCloset(t, files)
	c.keep = 1
	c.tidy(t.Context())
	for _, gone := range []string{first, second, second + ".gz"} {
		delete(files, gone)
	}
	same(t, c.contents(t), files)
	if n := strings.Count(log.String(), "removed a closed file"); n != 2 || c.removed.Get() != 2 {
		t.Errorf("%d removals were logged and %d counted, want 2", n, c.removed.Get())
	}
}

// TestLeftovers is what a kill can leave: half a compressed file under the hidden name, or both files.
func TestLeftovers(t *testing.T) {
	c, log := newCloset(t, map[string]string{
		"." + first + ".zst.tmp": "half", ".other.tmp": "theirs", "." + first + ".tmp": "theirs",
		second: "2", second + ".zst": packed(t, "zstd", "2"),
		third: "3", third + ".gz": packed(t, "gzip", "3"),
	})
	c.tidy(t.Context())
	same(t, c.contents(t), map[string]string{
		".other.tmp": "theirs", "." + first + ".tmp": "theirs",
		second + ".zst": packed(t, "zstd", "2"), third + ".gz": packed(t, "gzip", "3"),
	})
	if log.Len() > 0 {
		t.Error(log)
	}
}

// TestACompressedFileThatHoldsSomethingElse is somebody's own zstd, interrupted: the plain file is the only whole one.
func TestACompressedFileThatHoldsSomethingElse(t *testing.T) {
	long := strings.Repeat("row\n", 50_000)
	whole := packed(t, "zstd", long)
	for _, wrong := range []string{"", "junk", whole[:len(whole)-5], packed(t, "zstd", long+"x"), packed(t, "zstd", long[1:])} {
		files := map[string]string{first: long, first + ".zst": wrong}
		c, log := newCloset(t, files)
		c.packing = packingNamed("zstd")
		c.tidy(t.Context())
		c.tidy(t.Context())
		same(t, c.contents(t), files)
		if n := strings.Count(log.String(), "remove the one that is wrong"); n != 1 {
			t.Errorf("it was said %d times:\n%s", n, log)
		}
	}
}

func TestACancelledCompressionLeavesThePlainFile(t *testing.T) {
	files := map[string]string{first: "1"}
	c, log := newCloset(t, files)
	c.packing = packingNamed("zstd")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.pack(ctx, &generationFiles{closedFile: closedFile{name: first}, plain: true})
	same(t, c.contents(t), files)
	if log.Len() > 0 {
		t.Error(log)
	}
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s holds %q, want %q", name, clip(got[name]), clip(want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there", name)
		}
	}
}

func clip(s string) string { return s[:min(len(s), 60)] }

func TestNamesReadWhatTheyWrite(t *testing.T) {
	n := namingOf("/d/raw.ndjson")
	rapid.Check(t, func(t *rapid.T) {
		generation := rapid.Uint64Min(1).Draw(t, "generation")
		ending := rapid.SampledFrom([]string{"", ".zst", ".gz"}).Draw(t, "ending")
		made := n.closed(day, generation)
		c, packed, ok := n.parse(made + ending)
		if !ok || c.generation != generation || c.name != made || packed != ending {
			t.Fatalf("%s was read as %+v, %q, %v", made+ending, c, packed, ok)
		}
		if n.isTemp(made+ending) || n.isTemp(n.temp(made+ending)) != (ending != "") {
			t.Fatalf("%s, temporary: %v", made+ending, n.isTemp(made+ending))
		}
	})
}

func TestNamesOfUnusualPaths(t *testing.T) {
	for path, want := range map[string]string{
		"/d/raw":     "raw-20261120T100000Z-1",
		"/d/.hidden": ".hidden-20261120T100000Z-1",
		"/d/a.b.log": "a.b-20261120T100000Z-1.log",
	} {
		n := namingOf(path)
		if got := n.closed(day, 1); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if _, _, ok := n.parse(want); !ok {
			t.Errorf("%s does not know %s", path, want)
		}
	}
}

func TestWorkerStopsInTheMiddle(t *testing.T) {
	began, ended := make(chan struct{}), 0
	w := newWorker(func(ctx context.Context) {
		began <- struct{}{}
		<-ctx.Done()
		ended++
	})
	w.stop()
	for want := 1; want <= 20; want++ {
		w.poke()
		<-began
		w.poke() // nobody takes this one
		w.stop()
		if ended != want {
			t.Fatalf("stop did not wait, or the work was begun again: %d of %d", ended, want)
		}
	}
}

func TestWorkerDoesEachPoke(t *testing.T) {
	did := make(chan struct{}, 1)
	w := newWorker(func(context.Context) { did <- struct{}{} })
	defer w.stop()
	for range 10 {
		w.poke()
		<-did
	}
}

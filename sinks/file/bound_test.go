package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

func bounded(max int64, full string) options {
	o := options{bound: bound{max, full}}
	if full == DropOldest {
		o.keep = 1
	}
	return o
}

func TestDeadLettersDropNewest(t *testing.T) {
	st := newBounded(t, int64(2*len(line("a"))), DropNewest)
	long := row(strings.Repeat("x", 100))
	done, receipt, err := st.s.Write(t.Context(), []edged.Delivery{row("a"), row("b"), row("c")})
	if done != 2 || receipt == nil || edged.ClassOf(err) != edged.Limit {
		t.Fatal(done, err)
	}
	st.receipt = receipt
	for _, d := range []edged.Delivery{row("c"), long} {
		if done, receipt, err := st.s.Write(t.Context(), []edged.Delivery{d}); done != 0 || receipt != nil || edged.ClassOf(err) != edged.Limit {
			t.Fatal(done, receipt, err)
		}
	}
	st.holds("raw.ndjson", line("a")+line("b"))
	st.empty()
	st.write(row("d"))
	st.holds("raw.ndjson", line("d"))
}

// TestDeadLettersMakeProgress: what fits behind a refused delivery is taken.
func TestDeadLettersMakeProgress(t *testing.T) {
	st := newBounded(t, int64(len(line("a"))), DropNewest)
	if _, _, err := st.s.Write(t.Context(), []edged.Delivery{row("too long"), row("a")}); edged.ClassOf(err) != edged.Limit {
		t.Fatal(err)
	}
	st.write(row("a"))
	st.holds("raw.ndjson", line("a"))
}

func TestDeadLettersHold(t *testing.T) {
	st := newBounded(t, int64(len(line("a"))), Hold)
	st.write(row("a"))
	_, _, err := st.s.Write(t.Context(), []edged.Delivery{row("b")})
	if err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), "until it is emptied or moved away, or max_bytes is raised") {
		t.Fatal(err)
	}
	if _, _, err := st.s.Write(t.Context(), []edged.Delivery{row("never fits")}); edged.ClassOf(err) != edged.Limit {
		t.Fatal(err)
	}
	st.empty()
	st.write(row("b"))
	st.holds("raw.ndjson", line("b"))
}

func TestDeadLettersDropOldest(t *testing.T) {
	st := newBounded(t, int64(4*len(line("a"))), DropOldest)
	for _, text := range strings.Split("abcdefg", "") {
		st.write(row(text))
	}
	st.holds("raw-*-3.ndjson", line("e")+line("f"), "raw.ndjson", line("g"))
	if n := st.s.meters.removed.Get(); n != 2 {
		t.Errorf("%d removed files were counted, want 2", n)
	}
	if _, _, err := st.s.Write(t.Context(), []edged.Delivery{row(strings.Repeat("x", 2*len(line("a"))))}); edged.ClassOf(err) != edged.Limit {
		t.Errorf("more than half of max_bytes: %v", err)
	}
}

// TestDeadLettersStayWithinTheirBound tries any sizes, also while the file is being rotated.
func TestDeadLettersStayWithinTheirBound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		max := rapid.Int64Range(1, 400).Draw(rt, "max")
		st := newBounded(t, max, rapid.SampledFrom([]string{DropNewest, DropOldest}).Draw(rt, "full"))
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 200)).Draw(rt, "sizes") {
			for {
				done, receipt, err := st.s.Write(rt.Context(), []edged.Delivery{row(strings.Repeat("x", n))})
				if receipt != nil {
					st.receipt = receipt
				}
				if used := st.m.used(); used > max {
					rt.Fatalf("%d bytes, want %d at most", used, max)
				}
				if err != nil && edged.ClassOf(err) != edged.Limit {
					rt.Fatal(err)
				}
				if done > 0 || err != nil {
					break
				}
			}
		}
	})
}

// newBounded makes a station that is open and has committed its empty file.
func newBounded(t *testing.T, max int64, full string) *station {
	st := newStation(t, bounded(max, full))
	st.open()
	_, receipt, err := st.s.Write(t.Context(), []edged.Delivery{row("a")})
	if err != nil || receipt == nil {
		t.Fatal(err)
	}
	st.receipt = receipt
	return st
}

// empty is what the person does who is told that the file is full.
func (st *station) empty() {
	f, err := st.m.Open("/d/raw.ndjson", 0)
	if err != nil {
		st.Fatal(err)
	}
	f.Truncate(0)
}

func TestNewDeadLettersWritesIntoTheDataDirectory(t *testing.T) {
	env := quiet()
	env.DataDir = t.TempDir()
	s := NewDeadLetters("dead.ndjson", 1<<20, DropNewest, env)
	if err := s.Open(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	for done := 0; done == 0; {
		var err error
		if done, _, err = s.Write(t.Context(), []edged.Delivery{row("a")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(env.DataDir, "dead.ndjson")); string(got) != line("a") {
		t.Fatalf("%q, %v", got, err)
	}
}

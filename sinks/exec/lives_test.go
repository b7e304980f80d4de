package exec

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/sinks/spec"
)

// delivery has n rows from a position on; each has its number, and a text.
func delivery(from, n int, text string) edged.Delivery {
	r := &edged.Rows{Stream: "s", Names: []string{"n", "text"}}
	for i := range n {
		r.Cells = append(r.Cells, edged.NumberValue(float64(from+i)), edged.TextValue(text))
		r.At = append(r.At, edged.Pos{Seq: 1, Off: uint32(from + i)})
	}
	return edged.Delivery{Key: fmt.Sprint(from), Rows: r}
}

func open(t *testing.T, c *Config, e spec.Env) *sink {
	t.Helper()
	s := c.New(e).(*sink)
	t.Cleanup(func() { s.Close() })
	return s
}

func deliver(t *testing.T, s *sink, turn ...edged.Delivery) error {
	t.Helper()
	done, _, err := s.Write(t.Context(), turn)
	if (done < len(turn)) != (err != nil) {
		t.Fatalf("%d of %d done, %v", done, len(turn), err)
	}
	return err
}

// numbers are those of the rows in a file, in order.
func numbers(t *testing.T, path string) (out []int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		_, rest, _ := strings.Cut(line, `"n":`)
		n, err := strconv.Atoi(strings.TrimRight(rest[:strings.IndexAny(rest, ",}")], ","))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, n)
	}
	return out
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestKilledInTheMiddle: what was answered before the kill is not repeated, the rest comes to the next life.
func TestKilledInTheMiddle(t *testing.T) {
	e := quiet(t)
	// the life that finds the file die kills itself, hard, with the fourth row in its hands
	s := open(t, config(`while IFS= read -r row; do
		n=$((n + 1))
		if [ $n = 4 ] && rm die 2>/dev/null; then echo about to die >&2; kill -9 $$; fi
		printf '%s\n' "$row" >>rows; echo ok
	done`), e)
	write(t, filepath.Join(e.DataDir, "die"), "")
	err := deliver(t, s, delivery(0, 10, ""))
	if err == nil || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(err)
	}
	if want := "sh ended (signal: killed) with 7 rows unanswered, saying: about to die; they are given to its next life"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	s.Close()
	if err := deliver(t, s, delivery(0, 10, ""), delivery(10, 2, "")); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, upTo(12)) {
		t.Errorf("the rows are %v", got)
	}
	if n := s.meters.starts.Get(); n != 2 {
		t.Errorf("%d lives", n)
	}
}

// TestKilledFromOutside kills lives at any moment: no row is lost, however often.
func TestKilledFromOutside(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`echo $$ >new; mv new pid; while IFS= read -r row; do printf '%s\n' "$row" >>rows && echo ok; done`), e)
	stop := make(chan struct{})
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(i%7) * time.Millisecond):
			}
			b, _ := os.ReadFile(filepath.Join(e.DataDir, "pid"))
			if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
				os.Remove(filepath.Join(e.DataDir, "pid")) // the next one is the next life's
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}()
	n := 0
	for ; n < 1000 || s.meters.starts.Get() < 10; n += 100 {
		for deliver(t, s, delivery(n, 100, "")) != nil {
			s.Close()
		}
	}
	close(stop)
	<-killed
	got := numbers(t, filepath.Join(e.DataDir, "rows"))
	if slices.Sort(got); !slices.Equal(slices.Compact(got), upTo(n)) {
		t.Errorf("%d rows of %d", len(slices.Compact(got)), n)
	}
}

// TestAnswersLate: a program may answer all rows at once, when it has committed them.
func TestAnswersLate(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do
		printf '%s\n' "$row" >>rows; n=$((n + 1))
		if [ $n = 20 ]; then sleep 0.3; while [ $n -gt 0 ]; do echo ok; n=$((n - 1)); done; fi
	done`), e)
	if err := deliver(t, s, delivery(0, 20, ""), delivery(20, 20, "")); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, upTo(40)) {
		t.Errorf("the rows are %v", got)
	}
}

// awk makes a config of an awk program.
func awk(t *testing.T, script string) *Config {
	t.Helper()
	path, err := osexec.LookPath("awk")
	if err != nil {
		t.Skip("no awk")
	}
	c := Default()
	c.Command = []string{"awk", script}
	if path, _ = filepath.EvalSymlinks(path); filepath.Base(path) == "mawk" {
		c.Command = slices.Insert(c.Command, 1, "-W", "interactive") // it waits for a full buffer otherwise
	}
	return c
}

func TestAwk(t *testing.T) {
	s := open(t, awk(t, `{ if (/"n":3,/) print "error three is too many"; else print "ok"; fflush() }`), quiet(t))
	err := deliver(t, s, delivery(0, 6, ""))
	if edged.ClassOf(err) != edged.Poison || err.Error() != "awk refuses it: three is too many" {
		t.Fatal(err)
	}
}

// TestLargeRows are far larger than a pipe.
func TestLargeRows(t *testing.T) {
	e := quiet(t)
	s := open(t, awk(t, `{ print >"rows"; fflush("rows"); print "ok"; fflush() }`), e)
	if err := deliver(t, s, delivery(0, 3, strings.Repeat("é", 1<<20))); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, upTo(3)) {
		t.Errorf("the rows are %v", got)
	}
}

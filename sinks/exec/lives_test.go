package exec

import (
	"context"
	"errors"
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
	"edged/internal/conf"
	"edged/sinks/spec"
	"edged/test/await"
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

// TestPoison: the delivery is split down to the bad rows, and no row is given to the program twice for it.
func TestPoison(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do
		printf '%s\n' "$row" >>rows
		case $row in *'"n":3,'*) echo error odd;; *'"n":8,'*) echo error;; *) echo ok;; esac
	done`), e)
	var dead []string
	turn := []edged.Delivery{delivery(0, 10, ""), delivery(10, 3, "")}
	for len(turn) > 0 { // as the writer does
		done, _, err := s.Write(t.Context(), turn)
		turn = turn[done:]
		if err == nil {
			continue
		}
		if edged.ClassOf(err) != edged.Poison {
			t.Fatal(err)
		}
		r := turn[0].Rows
		if mid := r.Len() / 2; mid > 0 {
			turn = append([]edged.Delivery{{Rows: r.Slice(0, mid)}, {Rows: r.Slice(mid, r.Len())}}, turn[1:]...)
			continue
		}
		dead = append(dead, fmt.Sprint(r.At[0].Off, " ", err))
		turn = turn[1:]
	}
	if want := []string{"3 sh refuses it: odd", "8 sh refuses it"}; !slices.Equal(dead, want) {
		t.Errorf("dead are %q, want %q", dead, want)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, upTo(13)) {
		t.Errorf("the program got %v", got)
	}
}

// TestRetry: only the row that was put off comes again.
func TestRetry(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do
		case $row in *'"n":1,'*) if ! [ -e ready ]; then echo retry the disk is full; continue; fi;; esac
		printf '%s\n' "$row" >>rows; echo ok
	done`), e)
	for range 2 {
		err := deliver(t, s, delivery(0, 4, ""))
		if err == nil || edged.ClassOf(err) != edged.Retryable || err.Error() != "sh asks for rows again later: the disk is full" {
			t.Fatal(err)
		}
		s.Close()
	}
	write(t, filepath.Join(e.DataDir, "ready"), "")
	if err := deliver(t, s, delivery(0, 4, "")); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, []int{0, 2, 3, 1}) {
		t.Errorf("the rows are %v", got)
	}
}

// TestTheSameRowsElsewhere: only what was answered counts: same positions with other bytes, or of another stream, are new.
func TestTheSameRowsElsewhere(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do printf '%s\n' "$row" >>rows; echo ok; done`), e)
	other := delivery(0, 2, "")
	other.Rows.Stream = "t"
	if err := deliver(t, s, delivery(0, 2, ""), delivery(0, 2, "x"), other); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, []int{0, 1, 0, 1, 0, 1}) {
		t.Errorf("the rows are %v", got)
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

// TestNeverReads: neither a full pipe nor a wait for answers outlives the context.
func TestNeverReads(t *testing.T) {
	for name, text := range map[string]string{"little": "x", "more than a pipe holds": strings.Repeat("x", 1<<20)} {
		t.Run(name, func(t *testing.T) {
			e := quiet(t)
			s := open(t, config(`: >up; sleep 1000`), e)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { _, _, err := s.Write(ctx, []edged.Delivery{delivery(0, 3, text)}); ended <- err }()
			await.Soon(t, "it runs", func() bool { _, err := os.Stat(filepath.Join(e.DataDir, "up")); return err == nil })
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			began := time.Now()
			s.Close()
			if d := time.Since(began); d > graceTerm {
				t.Errorf("SIGTERM was not tried at once: Close took %v", d)
			}
		})
	}
}

// TestALineThatWasCut: a program that was cut off in the middle of a line does not see an end of its input there.
func TestALineThatWasCut(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`dd bs=1 count=10 2>/dev/null >begin; : >up; cat >rest; : >ended`), e)
	ctx, cancel := context.WithCancel(t.Context())
	wrote := make(chan error)
	go func() {
		_, _, err := s.Write(ctx, []edged.Delivery{delivery(0, 1, strings.Repeat("x", 1<<20))})
		wrote <- err
	}()
	await.Soon(t, "it reads", func() bool { _, err := os.Stat(filepath.Join(e.DataDir, "up")); return err == nil })
	cancel()
	<-wrote
	s.Close()
	if _, err := os.Stat(filepath.Join(e.DataDir, "ended")); err == nil {
		t.Error("it took a part of a row for the whole")
	}
}

// TestSlowButSteady: timeout is about silence; a delivery may take longer.
func TestSlowButSteady(t *testing.T) {
	c := config(`while read -r row; do sleep 0.3; echo ok; done`)
	c.Timeout = conf.Duration(time.Second)
	if err := deliver(t, open(t, c, quiet(t)), delivery(0, 5, "")); err != nil {
		t.Fatal(err)
	}
}

// TestSilence: after timeout without an answer the program is killed, whatever it does with signals.
func TestSilence(t *testing.T) {
	e := quiet(t)
	c := config(`trap '' TERM; read -r row; echo ok; while :; do sleep 1; done`)
	c.Timeout = conf.Duration(200 * time.Millisecond)
	s := open(t, c, e)
	err := deliver(t, s, delivery(0, 3, ""))
	if err == nil || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(err)
	}
	if want := "sh: no answer within 200ms, with 2 rows unanswered; it was killed, and they are given to its next life"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if s.run != nil {
		t.Error("it still counts as running")
	}
}

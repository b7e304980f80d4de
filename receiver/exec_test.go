package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/receiver/receivertest"
	"edged/test/await"
)

func TestConformanceOfExec(t *testing.T) {
	for _, ack := range []bool{false, true} {
		t.Run(fmt.Sprint("ack ", ack), func(t *testing.T) {
			receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
				c := DefaultExec()
				c.Command, c.Ack, c.grace = []string{"sh", "-c", `printf %s "$LINES_TO_SAY"; exec sleep 1000`}, ack, 10*time.Second
				c.Env = conf.Pairs{{Key: "LINES_TO_SAY", Value: lines(payloads)}}
				return c.New(lineEnv(io.Discard)), func() {}
			})
		})
	}
}

// program is a shell script that is run once.
type program struct {
	*sink
	t     *testing.T
	log   await.Log
	dir   string
	stop  context.CancelFunc
	ended chan error
}

func runScript(t *testing.T, script string, change func(*Exec)) *program {
	t.Helper()
	c := DefaultExec()
	c.Command = []string{"sh", "-c", script}
	if change != nil {
		change(c)
	}
	p := &program{sink: newSink(), t: t, dir: t.TempDir(), ended: make(chan error, 1)}
	env := lineEnv(&p.log)
	env.DataDir = p.dir
	r := c.New(env)
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	over := make(chan struct{})
	go func() { p.ended <- r.Run(ctx, p); close(over) }()
	t.Cleanup(func() { cancel(); <-over })
	return p
}

func (p *program) end() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(await.Patience):
		p.t.Fatal("it does not end")
		return nil
	}
}

func TestAProgramsLinesAndItsEnd(t *testing.T) {
	p := runScript(t, `pwd; echo "$A"; printf 'x%.0s' $(seq 30); echo; echo; printf last; echo first >&2; echo "no sensor" >&2; exit 3`, func(c *Exec) {
		c.Dir, c.Env, c.MaxLine, c.Topic = ".", conf.Pairs{{Key: "A", Value: "b c"}}, 128, "in/{name}"
	})
	err := p.end()
	want := []string{p.dir, "b c", strings.Repeat("x", 30), "last"}
	for i := range want {
		want[i] = "in/r " + want[i]
	}
	if got := p.list(4); !slices.Equal(got, want) {
		t.Errorf("took %q\nwant %q", got, want)
	}
	if err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "first / no sensor") {
		t.Errorf("Run returned %v", err)
	}
	if p.log.Count("no sensor") != 1 {
		t.Errorf("standard error was not logged:\n%s", &p.log)
	}
}

func TestWhatIsStartedAgain(t *testing.T) {
	for _, c := range []struct {
		restart, script string
		again, class    any
	}{
		{"always", "exit 0", true, edged.Retryable},
		{"always", "exit 1", true, edged.Retryable},
		{"on_failure", "exit 0", false, nil},
		{"on_failure", "exit 1", true, edged.Retryable},
		{"on_failure", "kill -9 $$", true, edged.Retryable},
		{"never", "exit 0", false, nil},
		{"never", "exit 1", true, edged.Permanent},
	} {
		err := runScript(t, c.script, func(x *Exec) { x.Restart = c.restart }).end()
		if (err != nil) != c.again || err != nil && edged.ClassOf(err) != c.class {
			t.Errorf("%s, %s: Run returned %v of class %v", c.restart, c.script, err, edged.ClassOf(err))
		}
	}
}

func TestAProgramThatIsMissingIsTriedAgain(t *testing.T) {
	c := DefaultExec()
	c.Command = []string{"./later"}
	env := lineEnv(io.Discard)
	env.DataDir = t.TempDir()
	r := c.New(env)
	if err := r.Run(t.Context(), newSink()); err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), filepath.Join(env.DataDir, "later")) {
		t.Fatalf("Run returned %v", err)
	}
	if err := os.WriteFile(filepath.Join(env.DataDir, "later"), []byte("#!/bin/sh\necho here\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newSink()
	_ = r.Run(t.Context(), s)
	if got := s.list(1); got[0] != "lines/r here" {
		t.Error(got)
	}
}

// The program is told of each line after its commit, and ends by itself when it was told of all.
func TestAProgramIsToldWhatIsStored(t *testing.T) {
	p := runScript(t, `echo one; echo; echo `+strings.Repeat("x", 40)+`; echo two
		n=0; while [ $n -lt 4 ]; do read line; echo "$line" >>told; n=$((n+1)); done`, func(c *Exec) { c.Ack, c.MaxLine, c.Restart = true, 32, "never" })
	p.list(2)
	told := func() string { b, _ := os.ReadFile(filepath.Join(p.dir, "told")); return string(b) }
	if told() != "" {
		t.Error("told before the commit")
	}
	p.commit(1, nil)
	await.Soon(t, "it is told of the first three", func() bool { return told() == "ok 1\nok 2\ntoo long 3\n" })
	p.commit(1, nil)
	if err := p.end(); err != nil || told() != "ok 1\nok 2\ntoo long 3\nok 4\n" {
		t.Errorf("it was told %q, and Run returned %v", told(), err)
	}
}

// What could not be stored must be said again: the program is ended, and with it all of its answers.
func TestAProgramWhoseLinesCannotBeStoredIsEnded(t *testing.T) {
	p := runScript(t, `echo one; echo two; exec cat >told`, func(c *Exec) { c.Ack = true })
	p.list(2)
	p.commit(1, nil)
	p.commit(1, errors.New("the disk is gone"))
	if err := p.end(); err == nil || edged.ClassOf(err) != edged.Retryable || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("Run returned %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(p.dir, "told")); len(b) > 0 && string(b) != "ok 1\n" {
		t.Errorf("it was told %q", b)
	}
}

func TestAProgramThatClosesItsInputGoesOn(t *testing.T) {
	p := runScript(t, `exec <&-; echo one; while ! [ -e go ]; do sleep 0.01; done; echo two; exit 5`, func(c *Exec) { c.Ack = true })
	p.list(1)
	p.commit(1, nil)
	await.Soon(t, "it is said", func() bool { return p.log.Count("closed its standard input") == 1 })
	if err := os.WriteFile(filepath.Join(p.dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.list(1)
	if err := p.end(); err == nil || !strings.Contains(err.Error(), "exit status 5") {
		t.Errorf("Run returned %v", err)
	}
}

func alive(pid int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(state), ") Z ") && syscall.Kill(pid, 0) == nil
}

func (p *program) pid() int {
	_, text, _ := strings.Cut(p.list(1)[0], " ")
	pid, err := strconv.Atoi(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return pid
}

// A stop is SIGTERM for the program and what it started; what it says then is still taken. What does not obey is killed.
func TestAStopEndsTheWholeGroup(t *testing.T) {
	t.Run("that obeys", func(t *testing.T) {
		p := runScript(t, `trap 'echo bye; exit 0' TERM; sleep 1000 & echo $!; wait`, func(c *Exec) { c.grace = time.Hour })
		child := p.pid()
		p.stop()
		if err := p.end(); err != nil {
			t.Error(err)
		}
		if got := p.list(1); got[0] != "lines/r bye" {
			t.Error(got)
		}
		await.Soon(t, "its child has ended", func() bool { return !alive(child) })
	})
	t.Run("that does not", func(t *testing.T) {
		p := runScript(t, `trap '' TERM; (echo $(exec sh -c 'echo $PPID'); while :; do sleep 1; done) & wait; while :; do sleep 1; done`, func(c *Exec) { c.grace = 50 * time.Millisecond })
		child := p.pid()
		p.stop()
		if err := p.end(); err != nil {
			t.Error(err)
		}
		await.Soon(t, "its child has ended", func() bool { return !alive(child) })
	})
}

// What a program leaves behind in its group ends with it; what left the group holds nobody.
func TestAProgramLeavesNothingBehind(t *testing.T) {
	p := runScript(t, `trap '' TERM; sleep 1000 & echo $!; setsid sh -c 'echo $$; : >up; exec sleep 1000' & while ! [ -e up ]; do sleep 0.01; done; exit 0`, func(c *Exec) { c.Restart = "never" })
	one, other := p.pid(), p.pid()
	if err := p.end(); err != nil {
		t.Error(err)
	}
	await.Soon(t, "its child has ended", func() bool { return !alive(one) })
	if alive(other) {
		_ = syscall.Kill(other, syscall.SIGKILL)
	}
}

// Standard error is a log line each, clipped, and not more of them than a disk can bear.
func TestStandardErrorIsBounded(t *testing.T) {
	p := runScript(t, `i=0; while [ $i -lt 500 ]; do echo "line $i" >&2; i=$((i+1)); done; printf 'y%.0s' $(seq 5000) >&2; exit 1`, nil)
	err := p.end()
	if n := p.log.Count("standard error of the program"); n < 20 || n > 60 {
		t.Errorf("%d of 501 lines were logged", n)
	}
	if err == nil || len(err.Error()) > tailLines*(tailBytes+10)+200 || !strings.Contains(err.Error(), "line 499") || !strings.Contains(err.Error(), "…") {
		t.Errorf("Run returned %v", err)
	}
}

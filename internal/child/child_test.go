package child_test

import (
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/internal/child"
	"edged/internal/sparse"
	"edged/test/await"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script starts a shell script in dir. Its output is read, into a file of the name out; the function waits until it is gone.
func script(t *testing.T, dir, text string, linger time.Duration) (c *child.Child, gone func()) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if c, err = child.Start(&exec.Cmd{Path: sh, Args: []string{"sh", "-c", text}, Dir: dir, Env: child.Environ()}, linger); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { defer close(read); defer out.Close(); _, _ = io.Copy(out, c.Out) }()
	other := make(chan struct{})
	go func() { defer close(other); _, _ = io.Copy(io.Discard, c.Err) }()
	gone = func() {
		t.Helper()
		if !c.GoneWithin(await.Patience) {
			t.Fatal("it is not gone")
		}
		<-read
		<-other
	}
	t.Cleanup(func() { c.Signal(syscall.SIGKILL); gone(); c.Close() })
	return c, gone
}

// pid waits for a process number in a file.
func pid(t *testing.T, dir, name string) (n int) {
	t.Helper()
	await.Soon(t, "it runs", func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		n = 0
		if text, whole := strings.CutSuffix(string(b), "\n"); whole {
			n, _ = strconv.Atoi(text)
		}
		return n > 0
	})
	if !alive(n) {
		t.Fatal("it does not run: the test looks at nothing")
	}
	return n
}

// alive reports whether a process runs; where there is /proc, one that nobody has collected does not.
func alive(pid int) bool {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return !strings.Contains(string(stat), ") Z ") && syscall.Kill(pid, 0) == nil
}

// TestNothingIsLeftOfTheGroup: whoever takes no notice of SIGTERM is killed, also those that the program has started.
func TestNothingIsLeftOfTheGroup(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		linger time.Duration
		end    bool
		fate   string
	}{
		"End":                   {`trap '' TERM; sh -c 'while :; do sleep 0.1; done' & echo $! >other; while :; do sleep 0.1; done`, 0, true, "signal: killed"},
		"End of one that obeys": {`(trap '' TERM; while :; do sleep 0.1; done) & echo $! >other; wait`, 0, true, "signal: terminated"},
		"its own end":           {`trap '' TERM; sleep 1000 & echo $! >other; while ! [ -e go ]; do sleep 0.01; done; exit 3`, 0, false, "exit status 3"},
		"its own end, linger":   {`trap '' TERM; sleep 1000 & echo $! >other; while ! [ -e go ]; do sleep 0.01; done; exit 0`, 50 * time.Millisecond, false, "exit status 0"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p, gone := script(t, dir, c.script, c.linger)
			other := pid(t, dir, "other")
			if c.end {
				p.End(50 * time.Millisecond)
			} else if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			gone()
			if p.Fate() != c.fate || (p.Status() == nil) != (c.fate == "exit status 0") {
				t.Errorf("%s, %v; want %s", p.Fate(), p.Status(), c.fate)
			}
			await.Soon(t, "the other one has ended", func() bool { return !alive(other) })
		})
	}
}

// TestTheLastWordsAreRead: with linger what is left behind may finish, and is heard.
func TestTheLastWordsAreRead(t *testing.T) {
	dir := t.TempDir()
	_, gone := script(t, dir, `(trap 'echo bye; exit' TERM; : >up; while :; do sleep 0.01; done) & while ! [ -e up ]; do sleep 0.01; done; echo one`, 5*time.Second)
	gone()
	if b, _ := os.ReadFile(filepath.Join(dir, "out")); string(b) != "one\nbye\n" {
		t.Errorf("read %q", b)
	}
}

// TestWhoLeftTheGroupHoldsNobody although it holds the pipes.
func TestWhoLeftTheGroupHoldsNobody(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	for _, linger := range []time.Duration{0, 50 * time.Millisecond} {
		dir := t.TempDir()
		p, gone := script(t, dir, `setsid sh -c 'echo $$ >new; mv new other; exec sleep 1000' & while ! [ -e other ]; do sleep 0.01; done; echo said`, linger)
		other := pid(t, dir, "other")
		defer func() { _ = syscall.Kill(other, syscall.SIGKILL) }()
		gone()
		if b, _ := os.ReadFile(filepath.Join(dir, "out")); string(b) != "said\n" || p.Fate() != "exit status 0" {
			t.Errorf("read %q, %s", b, p.Fate())
		}
	}
}

func TestWhatCannotBeStartedIsAnError(t *testing.T) {
	if _, err := child.Start(&exec.Cmd{Path: filepath.Join(t.TempDir(), "none")}, 0); !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

// TestWordsAreBounded: in the log, and in what is kept.
func TestWordsAreBounded(t *testing.T) {
	log := &await.Log{}
	bounded := sparse.New(slog.New(slog.NewTextHandler(log, nil)), "left")
	w := &child.Words{
		Keep: 2, Size: 10,
		Text: func(line []byte, over bool) string {
			if over {
				return string(line) + "…"
			}
			return string(line)
		},
		Say: func(text string) { bounded.Say(slog.LevelInfo, "it says", "text", text) },
	}
	w.Read(strings.NewReader(strings.Repeat("many\n\n", 10_000) + "last\n" + strings.Repeat("x", 100_000)))
	if got := w.Last(); got != "last / xxxxxxxxxx…" {
		t.Errorf("kept %q", got)
	}
	if n := log.Count("it says"); n < sparse.Burst || n > sparse.Burst+30 {
		t.Errorf("%d lines were logged", n)
	}
}

// TestTheServiceManagersWordsStayHere: a program that had them could speak for edged.
func TestTheServiceManagersWordsStayHere(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/run/notify")
	t.Setenv("WATCHDOG_USEC", "1")
	t.Setenv("LISTEN_ADDRESS", "kept")
	vars := strings.Join(child.Environ(), "\n") + "\n"
	if strings.Contains(vars, "NOTIFY_SOCKET=") || strings.Contains(vars, "WATCHDOG_USEC=") || !strings.Contains(vars, "LISTEN_ADDRESS=kept\n") {
		t.Error(vars)
	}
}

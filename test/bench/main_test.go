package bench

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain gives the run a temporary directory of its own, and takes care that neither it nor a process is left behind: not after Ctrl-C, not when the go
// command that started the run is gone, and not when the run takes far too long.
func TestMain(m *testing.M) {
	root, err := os.MkdirTemp("", "edged-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("TMPDIR", root)
	clean := func() {
		launching.Lock() // for good: a test that lost its process does not start another
		for range 3 {    // one may be about to start
			endChildren()
			os.RemoveAll(root)
			time.Sleep(100 * time.Millisecond)
		}
	}
	go func() {
		sig := make(chan os.Signal, 1)
		signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE) // the last: nobody reads what is printed
		parent, late := os.Getppid(), time.After(30*time.Minute)
		for why := ""; ; time.Sleep(100 * time.Millisecond) {
			select {
			case s := <-sig:
				why = s.String()
			case <-late:
				why = "it takes too long"
			default:
				if os.Getppid() != parent {
					why = "nobody waits for it"
				}
			}
			if why != "" {
				fmt.Fprintln(os.Stderr, "bench: ended:", why)
				clean()
				os.Exit(130)
			}
		}
	}()
	code := m.Run()
	clean()
	os.Exit(code)
}

// launching is held for reading when a process is about to be started.
var launching sync.RWMutex

func mayLaunch() {
	launching.RLock()
	defer launching.RUnlock()
}

// endChildren kills the processes that this one has started, with their groups.
func endChildren() {
	all, _ := os.ReadDir("/proc")
	for _, d := range all {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if f := procStat(pid); len(f) > 2 && f[1] == strconv.Itoa(os.Getpid()) {
			if f[2] == strconv.Itoa(pid) { // it leads a group of its own
				_ = syscall.Kill(-pid, syscall.SIGKILL)
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// procStat is what the kernel tells of a process, from its state on: state, parent, group, …
func procStat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	return strings.Fields(rest)
}

// cpu is the processor time of a process so far, in seconds.
func cpu(pid int) float64 {
	f := procStat(pid)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // clock ticks: 100 a second on every Linux that Go runs on
}

// anonymous is the memory of a process that is no file's, in bytes: the mapped store file does not count.
func anonymous(pid int) (bytes float64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			_, _ = fmt.Sscan(rest, &bytes)
		}
	}
	return bytes * 1024
}

// short reports whether the run is to show only that everything can be measured: its figures mean nothing.
func short() bool { return os.Getenv("EDGED_BENCH") == "short" }

// lasting is how long a measurement lasts.
func lasting(d time.Duration) time.Duration {
	if short() {
		return max(time.Second, d/5)
	}
	return d
}

func rounds(n int) int {
	if short() {
		return 1
	}
	return n
}

func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("EDGED_BENCH") == "" {
		t.Skip("in make bench only: figures, not promises")
	}
}

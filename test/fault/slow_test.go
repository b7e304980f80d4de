package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/verdict"
)

// Every sync takes long, as on a worn card: acknowledgements are late, not wrong, memory stays bounded, and a SIGKILL in the middle loses nothing.
func TestTheDiskIsSlow(t *testing.T) {
	for _, delay := range []time.Duration{10 * time.Millisecond, 120 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			if delay < 100*time.Millisecond {
				long(t)
			}
			t.Parallel()
			v, e := slow(t, fmt.Sprintf("every sync takes %v, and a SIGKILL", delay), delay, "")
			v.Holds(t)
			load.SameCounts(t, e, e.Rows("raw.ndjson"))
		})
	}
}

// A program that acknowledges before it commits is caught by the kill.
func TestTheDiskIsSlowControl(t *testing.T) {
	long(t)
	t.Parallel()
	v, _ := slow(t, "every sync takes 120ms, and a SIGKILL, acknowledged before the commit", 120*time.Millisecond, "edged_ackfirst")
	v.Breaks(t)
}

// slowMemory bounds the memory of a gateway whose publishers send faster than its disk stores: it is what the queues may hold, and not what was sent.
const slowMemory = 96 << 20

func slow(t *testing.T, fault string, delay time.Duration, tag string) (verdict.Verdict, *harness.Edged) {
	e := harness.New(t, load.Config)
	e.Tag = tag
	rule := fmt.Sprintf(":delay_exit=%d", delay.Microseconds())
	e.Wrap = []string{need.Tool(t, "strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync" + rule, "-e", "inject=fsync" + rule}
	if tag != "" { // the kill is to find a commit that is not on its way to the disk yet
		e.Wrap = []string{need.Tool(t, "strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=40000"}
	}
	e.Start()
	var most atomic.Int64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				most.Store(max(most.Load(), anonymous(pidOf(e))))
			}
		}
	}()
	run := load.Under(t, e, load.Plan{Rate: 4000, For: 5 * time.Second, Extra: []string{"-pad", "200"}}, func() {
		kills := 1
		if tag != "" {
			kills = 4 // one may come between two commits
		}
		for range kills {
			time.Sleep(2500 * time.Millisecond / time.Duration(kills))
			e.Kill()
			e.Start()
		}
		if tag != "" {
			e.Kill()
			e.Wrap = nil
			e.Start()
		}
	})
	close(stop)
	e.AtRest(60 * time.Second)
	v := load.Judge(t, e, run, fault, "raw.ndjson")
	v.Expected = fmt.Sprintf("acknowledgements after %.0f ms (median), %d MiB of memory at most", run.Median, most.Load()>>20)
	if tag == "" {
		if run.Median < float64(delay.Milliseconds()) {
			t.Errorf("acknowledgements come after %v ms, before a sync is done", run.Median)
		}
		if m := most.Load(); m == 0 || m > slowMemory {
			t.Errorf("%d bytes of memory, want at most %d", m, slowMemory)
		}
	}
	return v, e
}

// pidOf is the gateway's process, behind what it was wrapped in; 0 if it does not run.
func pidOf(e *harness.Edged) int {
	res, err := http.Get(e.URL("/api/status"))
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	var s struct {
		PID int `json:"pid"`
	}
	_ = json.NewDecoder(res.Body).Decode(&s)
	return s.PID
}

// anonymous is the memory of a process that is no file's.
func anonymous(pid int) (bytes int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			var kb int64
			fmt.Sscan(rest, &kb)
			return kb << 10
		}
	}
	return 0
}

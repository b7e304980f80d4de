package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
)

// class is a kind of system calls at which the process dies.
type class struct {
	name  string
	calls string
	quick []int // which k in the quick half; every k up to 100 in the long form
}

var classes = []class{
	{"call that changes a file (write or sync or rename or truncate)", "pwrite64,write,fdatasync,fsync,ftruncate,fallocate,renameat,renameat2", []int{1, 9, 26, 57}},
	{"write", "pwrite64,write", nil},
	{"sync", "fdatasync,fsync", []int{2, 11}},
	{"rename", "renameat,renameat2", []int{1, 2}},
}

// eager is load.Config with commits and rotations as often as the disk allows, and two streams into one file.
func eager() string {
	c := load.With(load.Config, "sink.archive", "rotate_size = \"8KiB\"\ncompress = \"gzip\"")
	c = load.With(c, "batch", `interval = "100ms"`) // a file is closed at most once a batch
	c = load.With(c, "store", "commit = \"eager\"\nwrite_budget = \"unlimited\"")
	return strings.Replace(c, `sinks = ["aggregates"]`, `sinks = ["aggregates", "archive"]`, 1)
}

// life is one run of the gateway that is to end at its k-th call of a class on the files under a path, before the call or after it. It reports whether
// it did; if the call has not come after a time in which it is ready, it is killed anyway.
func life(t testing.TB, e *harness.Edged, calls, under string, k int, within time.Duration) bool {
	t.Helper()
	said := filepath.Join(e.Dir, "said")
	_ = os.Remove(said)
	e.Wrap = []string{harness.Binary(t, "edged/test/killat"), "-calls", calls, "-k", fmt.Sprint(k), "-under", under, "-said", said, "-after=" + fmt.Sprint(k%2 == 0)}
	e.Launch()
	ended := e.Ended()
	harness.Until(t, within, "it is ready, or has ended", func() bool {
		select {
		case <-ended:
			return true
		default:
			return e.IsReady()
		}
	})
	select {
	case <-ended:
	case <-time.After(within):
	}
	e.Kill()
	e.Wrap = nil
	text, err := os.ReadFile(said)
	return err == nil && strings.HasPrefix(string(text), "killed")
}

// Killed at the k-th write, sync or rename of the process, of all its threads together: each row is there once.
func TestKillAtTheKthCall(t *testing.T) {
	for _, c := range classes {
		ks := c.quick
		if all() {
			ks = nil
			for k := 1; k <= 100; k++ {
				ks = append(ks, k)
			}
		}
		if len(ks) == 0 {
			continue
		}
		name, _, _ := strings.Cut(c.name, " (")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := harness.New(t, eager())
			e.Start()
			died := 0
			run := load.Under(t, e, load.Plan{Rate: 1000}, func() {
				time.Sleep(500 * time.Millisecond)
				e.Kill()
				for _, k := range ks {
					if life(t, e, c.calls, e.Dir, k, time.Minute) {
						died++
					}
				}
				e.Start()
			})
			each(t, e, run, fmt.Sprintf("SIGKILL at the k-th %s, %d values of k up to %d", c.name, len(ks), ks[len(ks)-1]), fmt.Sprintf("died at that very call %d times", died))
			if died < len(ks)*9/10 {
				t.Errorf("only %d of %d lives ended at the call: the test shows less than it says", died, len(ks))
			}
		})
	}
}

// A truncation takes back what a killed turn has written: it comes at the start after one. Each of them is interrupted in its turn.
func TestKillAtATruncation(t *testing.T) {
	t.Parallel()
	e := harness.New(t, eager())
	e.Start()
	ks, died := 2, 0
	if all() {
		ks = 100
	}
	run := load.Under(t, e, load.Plan{Rate: 1000}, func() {
		time.Sleep(500 * time.Millisecond)
		e.Kill()
		file := filepath.Join(e.Dir, "raw.ndjson")
		for k := 1; k <= ks || died == 0 && k <= ks+20; k++ { // the sync of a file that is new and empty leaves nothing to take back
			life(t, e, "fsync", file, 2*(1+k%7), time.Minute) // after it, before the length is committed
			if life(t, e, "ftruncate", file, 1, 5*time.Second) {
				died++
			}
		}
		e.Start()
	})
	each(t, e, run, fmt.Sprintf("SIGKILL at a truncation, %d tries or more", ks), fmt.Sprintf("died at one %d times", died))
	if died == 0 {
		t.Error("nothing was ever truncated")
	}
}

// each judges that each row of both streams is in the shared file once, and that the windows count the raw rows.
func each(t *testing.T, e *harness.Edged, run load.Run, fault, expected string) {
	t.Helper()
	e.AtRest(60 * time.Second)
	harness.Until(t, 60*time.Second, "the last windows have closed", func() bool {
		for _, s := range e.Status().Streams {
			if s.Groups > 0 {
				return false
			}
		}
		return true
	})
	s := e.AtRest(60 * time.Second)
	windows := unpack(t, e)
	defer func() {
		if t.Failed() {
			t.Logf("rows: %d raw, %d of windows", len(e.Rows("unpacked.ndjson")), len(windows))
			for _, st := range s.Streams {
				t.Logf("%+v", st.Status)
			}
			for _, k := range s.Sinks {
				t.Logf("%+v", k.Deliveries)
			}
		}
	}()
	v := load.Judge(t, e, run, fault, "unpacked.ndjson")
	v.Expected = expected
	for line, n := range windows {
		if n > 1 {
			t.Errorf("%d times in the file: %s", n, line)
			v.Doubled += int64(n - 1)
		}
	}
	v.Holds(t)
	if len(windows) == 0 {
		t.Error("no row of a window reached the shared file")
	}
	load.SameCounts(t, e, e.Rows("unpacked.ndjson"))
}

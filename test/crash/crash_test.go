// Package crash kills the real program, under load and in the middle of its work, and counts what is left.
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
	"edged/test/need"
)

func TestMain(m *testing.M) { harness.Main(m) }

// SIGKILL under load, and a restart a second later, again and again.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	e.Start()
	kills := 3
	if os.Getenv("EDGED_TEST") == "all" {
		kills = 20
	}
	run := load.Under(t, e, load.Plan{Rate: 3000, For: time.Duration(kills)*1500*time.Millisecond + time.Second}, func() {
		for i := range kills {
			time.Sleep(time.Duration(700+i*37%200) * time.Millisecond)
			e.Kill()
			time.Sleep(300 * time.Millisecond)
			e.Start()
		}
	})
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, fmt.Sprintf("SIGKILL under load, %d times", kills), "raw.ndjson").Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// Kills while the raw file rotates every few hundred milliseconds and closed files are compressed.
func TestKillWhileRotating(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.With(load.Config, "sink.archive", "rotate_size = \"100KiB\"\ncompress = \"gzip\""))
	e.Start()
	kills := 6
	if os.Getenv("EDGED_TEST") == "all" {
		kills = 40
	}
	run := load.Under(t, e, load.Plan{Rate: 4000, For: time.Duration(kills)*900*time.Millisecond + time.Second}, func() {
		for i := range kills {
			time.Sleep(time.Duration(300+i*61%250) * time.Millisecond)
			e.Kill()
			e.Start()
		}
	})
	e.AtRest(30 * time.Second)
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	e.Start() // what is left half compressed is finished
	var plain []string
	harness.Until(t, 20*time.Second, "closed files are compressed", func() bool {
		plain, _ = filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson"))
		return len(plain) == 0
	})
	packed, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson.gz"))
	if len(packed) < 3 {
		t.Fatalf("%d closed files: nothing rotated", len(packed))
	}
	var names []string
	for i, path := range packed {
		text := harness.Run(t, "gzip", "-dc", path)
		name := fmt.Sprintf("unpacked-%03d", i)
		if err := os.WriteFile(filepath.Join(e.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, fmt.Sprintf("SIGKILL while files rotate and are compressed, %d times", kills), append(names, "raw.ndjson")...).Holds(t)
}

// Two streams into one file, killed at the k-th write, sync or rename of the process for many k: each row once.
func TestKillAtTheKthCall(t *testing.T) {
	t.Parallel()
	strace := need.Tool(t, "strace")
	two := strings.Replace(load.With(load.Config, "sink.archive", "rotate_size = \"20KiB\"\ncompress = \"gzip\""), `sinks = ["aggregates"]`, `sinks = ["aggregates", "archive"]`, 1)
	e := harness.New(t, two)
	e.Start()
	ks := []int{3, 8, 15, 24, 40}
	calls := []string{"pwrite64", "fdatasync", "write", "fsync", "renameat", "ftruncate"}
	if os.Getenv("EDGED_TEST") == "all" {
		ks = nil
		for k := 1; k <= 100; k += 3 {
			ks = append(ks, k)
		}
	}
	run := load.Under(t, e, load.Plan{Rate: 1000, For: time.Duration(len(ks)) * 2200 * time.Millisecond}, func() {
		for i, k := range ks {
			call := calls[i%len(calls)]
			e.Kill()
			e.Wrap = []string{strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d+", call, k)}
			e.Launch()
			select {
			case <-e.Ended():
			case <-time.After(1500 * time.Millisecond): // that call did not come k times
			}
			e.Kill()
			e.Wrap = nil
			e.Start()
			time.Sleep(200 * time.Millisecond)
		}
	})
	e.AtRest(30 * time.Second)
	var names []string
	harness.Until(t, 20*time.Second, "closed files are compressed", func() bool {
		plain, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson"))
		return len(plain) == 0
	})
	packed, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson.gz"))
	seen := map[string]int{}
	for i, path := range append(packed, filepath.Join(e.Dir, "raw.ndjson")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, ".gz") {
			text = []byte(harness.Run(t, "gzip", "-dc", path))
		}
		var rawLines []string
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if strings.HasPrefix(line, `{"stream":"pins"`) {
				seen[line]++
			} else {
				rawLines = append(rawLines, line)
			}
		}
		name := fmt.Sprintf("unpacked-%03d", i)
		if err := os.WriteFile(filepath.Join(e.Dir, name), []byte(strings.Join(rawLines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	v := load.Judge(t, e, run, fmt.Sprintf("SIGKILL at the k-th call, %d values of k, two streams into one file", len(ks)), names...)
	for line, n := range seen {
		if n > 1 {
			t.Errorf("%d times in the file: %s", n, line)
			v.Doubled += int64(n - 1)
		}
	}
	v.Holds(t)
	if len(seen) == 0 {
		t.Error("no window's row reached the shared file")
	}
}

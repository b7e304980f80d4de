// Package bench prints what is promised in figures: make bench.
package bench

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const config = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[store]
max_bytes = "2GiB"
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
start = "now"
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 10s"
aggregate = { n = "count()", mean = "avg(value)" }
sinks = ["aggregates"]
[sink.aggregates]
type = "file"
path = "aggregates.ndjson"
`

func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("EDGED_BENCH") != "1" {
		t.Skip("in make bench only: figures, not promises")
	}
}

func say(t *testing.T, what, figure, goal string) {
	t.Helper()
	fmt.Printf("%-58s %14s   (%s)\n", what, figure, goal)
}

// TestFigures prints and checks the figures of the first release.
func TestFigures(t *testing.T) {
	wanted(t)
	fmt.Printf("%s/%s, %d processors, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	binarySize(t)
	e := harness.New(t, config)
	ready(t, e, "ready with an empty store", 200*time.Millisecond)
	time.Sleep(3 * time.Second)
	say(t, "idle RssAnon", mib(rss(t, e.PID())), "goal under 20 MiB")
	if rss(t, e.PID()) > 20<<20 {
		t.Error("too much memory when idle")
	}
	wear(t, e)
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	ready(t, e, "ready with a cleanly closed store", 200*time.Millisecond)
	e.Kill()
	full := harness.New(t, config)
	fill(t, full.Dir, 1<<30)
	ready(t, full, "ready after a kill, 1 GiB of 4 kB blocks in the store", 2*time.Second)
	if err := full.Stop(); err != nil {
		t.Fatal(err)
	}
	ready(t, full, "the same store, closed cleanly", 2*time.Second)
}

func binarySize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "edged")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "edged/cmd/edged")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	say(t, "binary, stripped, arm64", fmt.Sprintf("%.1f MB", float64(fi.Size())/1e6), "goal 15 MB; at most 16.8 MB")
	if fi.Size() > 16.8e6 { // what came with streams brought 2.1 MB: the goal is to be reached again (docs/adr/0012)
		t.Error("the binary is too large")
	}
}

// wear publishes a block of about 1.5 kB every commit for a while, and says what a commit has written.
func wear(t *testing.T, e *harness.Edged) {
	t.Helper()
	written, commits := e.Metric("edged_store_written_bytes_total"), e.Metric("edged_store_commits_total")
	out, err := exec.Command(harness.Binary(t, "edged/test/mqttload"), "pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker),
		"-n", "1", "-qos", "1", "-rate", "50", "-d", "10s", "-payload", "100").CombinedOutput()
	if err != nil {
		t.Fatalf("mqttload: %v\n%s", err, out)
	}
	written, commits = e.Metric("edged_store_written_bytes_total")-written, e.Metric("edged_store_commits_total")-commits
	if commits == 0 {
		t.Fatal("nothing was committed")
	}
	say(t, "written by a commit, 50 messages of 100 B a second", fmt.Sprintf("%.0f B", written/commits), fmt.Sprintf("%.1f commits a second", commits/10))
}

// ready starts the gateway and measures the time until it takes messages in.
func ready(t *testing.T, e *harness.Edged, what string, goal time.Duration) {
	t.Helper()
	harness.Binary(t, "edged/cmd/edged")
	began := time.Now()
	e.Launch()
	for {
		res, err := http.Get(e.URL("/readyz"))
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("not ready")
		}
		time.Sleep(time.Millisecond)
	}
	d := time.Since(began)
	say(t, what, d.Round(time.Millisecond).String(), fmt.Sprintf("goal under %v", goal))
	if d > goal {
		t.Errorf("%s: %v", what, d)
	}
}

func fill(t *testing.T, dir string, bytes int64) {
	t.Helper()
	cmd := exec.Command(harness.Binary(t, "edged/test/fill"), "-dir", dir, "-bytes", fmt.Sprint(bytes))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil || !strings.HasPrefix(line, "filled") {
		t.Fatalf("fill: %v %q", err, line)
	}
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// rss is the process's anonymous memory: the mapped store file does not count.
func rss(t *testing.T, pid int) (bytes int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			var kb int64
			fmt.Sscan(rest, &kb)
			return kb << 10
		}
	}
	t.Fatal("no RssAnon")
	return 0
}

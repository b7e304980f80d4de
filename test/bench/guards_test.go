package bench

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"edged/test/harness"
)

// guarded is the configuration of the guards.
const guarded = intake + `max_bytes = "2GiB"
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

func guard(what, figure, goal string) { fmt.Printf("%-58s %14s   (%s)\n", what, figure, goal) }

// TestGuards prints a few figures that are quick to have, and fails where a count or a size is past its bound. Times are printed only: they are the machine's
// as much as the program's.
func TestGuards(t *testing.T) {
	wanted(t)
	fmt.Printf("%s/%s, %d processors, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	size := binarySize(t)
	guard("binary, stripped, arm64", fmt.Sprintf("%.1f MB", float64(size)/1e6), "goal 15 MB; at most that")
	if size > 15e6 {
		t.Error("the binary is too large: docs/adr/0027-the-size.md says what it consists of")
	}
	e := harness.New(t, guarded)
	ready(t, e, "ready with an empty store", 100*time.Millisecond)
	time.Sleep(3 * time.Second)
	guard("idle RssAnon", mib(anonymous(e.PID())), "goal 15 MiB; at most 20 MiB")
	if anonymous(e.PID()) > 20<<20 {
		t.Error("too much memory when idle")
	}
	commit50(t, e)
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	ready(t, e, "ready with a cleanly closed store", 100*time.Millisecond)
	e.Kill()
	full := harness.New(t, guarded)
	fill(t, full.Dir, "-bytes", "1073741824")
	ready(t, full, "ready after a kill, 1 GiB of 4 kB blocks in the store", 2*time.Second)
	if err := full.Stop(); err != nil {
		t.Fatal(err)
	}
	ready(t, full, "the same store, closed cleanly", 2*time.Second)
	for qos, most := range []float64{100, 72} {
		underLoad(t, qos, most)
	}
}

// underLoad says how much memory the whole pipeline takes at saturation. A machine with others on it has the collector come late: the bound is above the goal.
func underLoad(t *testing.T, qos int, most float64) {
	t.Helper()
	g := started(t, whole)
	defer g.end()
	p := g.press(t, "-n", 50, "-w", 100, "-qos", qos, "-d", lasting(4*time.Second))
	guard(fmt.Sprintf("RssAnon at saturation, QoS %d", qos), mib(p.rss), fmt.Sprintf("goal 64 MiB; at most %.0f MiB", most))
	if p.rss > most*(1<<20) {
		t.Errorf("too much memory at saturation with QoS %d", qos)
	}
}

// commit50 publishes a block of about 1.5 kB every commit for a while, and says what a commit has written.
func commit50(t *testing.T, e *harness.Edged) {
	t.Helper()
	written, commits := e.Metric("edged_store_written_bytes_total"), e.Metric("edged_store_commits_total")
	publish(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), e.PID(), "-n", 1, "-qos", 1, "-rate", 50, "-d", "10s", "-pad", 26)
	written, commits = e.Metric("edged_store_written_bytes_total")-written, e.Metric("edged_store_commits_total")-commits
	if commits == 0 {
		t.Fatal("nothing was committed")
	}
	guard("written by a commit, 50 messages of 100 B a second", fmt.Sprintf("%.0f B", written/commits), fmt.Sprintf("%.1f commits a second; at most 20 kB", commits/10))
	if written/commits > 20e3 {
		t.Error("a commit writes too much")
	}
}

func ready(t *testing.T, e *harness.Edged, what string, goal time.Duration) {
	t.Helper()
	guard(what, readyAfter(t, e).Round(time.Millisecond).String(), fmt.Sprintf("goal %v", goal))
}

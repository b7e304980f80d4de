package bench

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

const whole = config + `
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
`

// TestConstants measures what configs/sizing says of the processor and of memory: the CPU time of the whole pipeline at two rates, of which one
// is mostly commits and the other mostly messages, and what memory it has then.
//
//	EDGED_BENCH=1 go test -count=1 -v -run TestConstants ./test/bench
func TestConstants(t *testing.T) {
	wanted(t)
	e := harness.New(t, strings.Replace(whole, "[store]\n", "[store]\nwrite_burst = \"1MiB\"\nwrite_budget = \"1MB/day\"\n", 1))
	e.Start()
	publish(t, e, 400, 10, 5*time.Second) // the burst is spent, and everything was used once
	idle := spent(t, e, func() { time.Sleep(10 * time.Second) })
	fmt.Printf("idle                 %8.4f CPU s a second, RssAnon %s\n", idle.cpu, mib(rss(t, e.PID())))
	slow := spent(t, e, func() { publish(t, e, 50, 10, 20*time.Second) })
	fast := spent(t, e, func() { publish(t, e, 5000, 50, 20*time.Second) })
	for _, m := range []measured{slow, fast} {
		fmt.Printf("%8.0f messages/s  %8.4f CPU s a second, %.2f commits a second, %.1f CPU s per million, RssAnon %s\n", m.rate, m.cpu, m.commits, 1e6*m.cpu/m.rate, mib(rss(t, e.PID())))
	}
	// cpu = idle + a × commits + b × rate, twice
	det := slow.commits*fast.rate - fast.commits*slow.rate
	a := ((slow.cpu-idle.cpu)*fast.rate - (fast.cpu-idle.cpu)*slow.rate) / det
	b := (slow.commits*(fast.cpu-idle.cpu) - fast.commits*(slow.cpu-idle.cpu)) / det
	fmt.Printf("a commit %.2f ms, a message %.1f µs\n", 1e3*a, 1e6*b)
}

type measured struct{ cpu, commits, rate float64 } // each a second

func spent(t *testing.T, e *harness.Edged, during func()) measured {
	t.Helper()
	read := func() measured {
		return measured{e.Metric("process_cpu_seconds_total"), e.Metric("edged_store_commits_total"), e.Metric("edged_store_messages_total")}
	}
	before, began := read(), time.Now()
	during()
	after, s := read(), time.Since(began).Seconds()
	return measured{(after.cpu - before.cpu) / s, (after.commits - before.commits) / s, (after.rate - before.rate) / s}
}

func publish(t *testing.T, e *harness.Edged, rate, conns int, d time.Duration) {
	t.Helper()
	cmd := exec.Command(harness.Binary(t, "edged/test/mqttload"), "pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker),
		"-n", fmt.Sprint(conns), "-qos", "1", "-rate", fmt.Sprint(rate), "-d", d.String(), "-w", "1000")
	cmd.Stderr = os.Stderr
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("mqttload: %v\n%s", err, out)
	}
}

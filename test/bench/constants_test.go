package bench

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"edged/test/harness"
)

// TestConstants measures what configs/sizing says of the processor and of memory: the CPU time of the whole pipeline at two rates, of which one
// is mostly commits and the other mostly messages, and what memory it has then.
//
//	EDGED_BENCH=1 go test -count=1 -v -run TestConstants ./test/bench
func TestConstants(t *testing.T) {
	wanted(t)
	e := harness.New(t, store(whole, burst+"write_budget = \"1MB/day\"\n"))
	e.Start()
	publishAt(t, e, 400, 10, 5*time.Second) // the burst is spent, and everything was used once
	idle := used(t, e, func() { time.Sleep(10 * time.Second) })
	fmt.Printf("idle                 %8.4f CPU s a second, RssAnon %s\n", idle.cpu, mib(anonymous(e.PID())))
	slow := used(t, e, func() { publishAt(t, e, 50, 10, 20*time.Second) })
	fast := used(t, e, func() { publishAt(t, e, 5000, 50, 20*time.Second) })
	for _, m := range []usage{slow, fast} {
		fmt.Printf("%8.0f messages/s  %8.4f CPU s a second, %.2f commits a second, %.1f CPU s per million, RssAnon %s\n", m.rate, m.cpu, m.commits, 1e6*m.cpu/m.rate, mib(anonymous(e.PID())))
	}
	// cpu = idle + a × commits + b × rate, twice
	det := slow.commits*fast.rate - fast.commits*slow.rate
	a := ((slow.cpu-idle.cpu)*fast.rate - (fast.cpu-idle.cpu)*slow.rate) / det
	b := (slow.commits*(fast.cpu-idle.cpu) - fast.commits*(slow.cpu-idle.cpu)) / det
	fmt.Printf("a commit %.2f ms, a message %.1f µs\n", 1e3*a, 1e6*b)
}

type usage struct{ cpu, commits, rate float64 } // each a second

func used(t *testing.T, e *harness.Edged, during func()) usage {
	t.Helper()
	read := func() usage {
		return usage{e.Metric("process_cpu_seconds_total"), e.Metric("edged_store_commits_total"), e.Metric("edged_store_messages_total")}
	}
	before, began := read(), time.Now()
	during()
	after, s := read(), time.Since(began).Seconds()
	return usage{(after.cpu - before.cpu) / s, (after.commits - before.commits) / s, (after.rate - before.rate) / s}
}

func publishAt(t *testing.T, e *harness.Edged, rate, conns int, d time.Duration) {
	t.Helper()
	cmd := exec.Command(harness.Binary(t, "edged/test/mqttload"), "pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker),
		"-n", fmt.Sprint(conns), "-qos", "1", "-rate", fmt.Sprint(rate), "-d", d.String(), "-w", "1000")
	cmd.Stderr = os.Stderr
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("mqttload: %v\n%s", err, out)
	}
}

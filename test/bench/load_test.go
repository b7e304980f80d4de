package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"edged/test/harness"
)

// published is what mqttload pub says of a load.
type published struct {
	Began    int64 // Unix time in nanoseconds
	Sent     int64
	Acked    int64
	Seconds  float64
	Rate     float64  `json:"msgs_per_s"`
	P50      float64  `json:"ack_p50_ms"`
	P99      float64  `json:"ack_p99_ms"`
	OtherCPU float64  `json:"other_cpu_s"`
	Errors   []string `json:"errors"`
}

// publish runs mqttload pub against a server to its end. Every message with QoS 1 must be acknowledged, or the test fails.
func publish(t testing.TB, addr string, pid int, args ...any) (p published) {
	t.Helper()
	line := []string{"pub", "-addr", addr, "-pid", fmt.Sprint(pid)}
	for _, a := range args {
		line = append(line, fmt.Sprint(a))
	}
	cmd := exec.Command(harness.Binary(t, "edged/test/mqttload"), line...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("mqttload %v: %v\n%s", args, err, problems.String())
	}
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		t.Fatalf("mqttload %v: %v: %s", args, err, out.String())
	}
	if len(p.Errors) > 0 {
		t.Fatalf("mqttload %v: %v", args, p.Errors)
	}
	sitting.mu.Lock()
	defer sitting.mu.Unlock()
	sitting.noise = append(sitting.noise, p.OtherCPU/max(p.Seconds, 0.1)/float64(runtime.NumCPU()))
	return p
}

// full is the load of the goals for throughput: as fast as 50 connections can, 100 messages of 66 bytes of JSON in flight on each.
func full(d time.Duration) []any { return []any{"-n", 50, "-w", 100, "-qos", 1, "-d", lasting(d)} }

// paced is a load at a rate, from 50 connections that know nothing of each other.
func paced(rate int, d time.Duration) []any {
	return []any{"-n", 50, "-w", 4000, "-qos", 1, "-rate", rate, "-spread", "-d", lasting(d)}
}

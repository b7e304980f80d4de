// Package load publishes to a gateway under test with acknowledgements kept in a log, and judges afterwards what became of them.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/verdict"
)

// Run is what was published, and the log of what was acknowledged.
type Run struct {
	AckLog string
	Sent   int64
	Acked  int64
	Resent int64
	Errors []string
	Median float64 `json:"ack_p50_ms"` // how long an acknowledgement took
}

// Plan is a load: connections with stable client identifiers that come back and repeat what was not acknowledged.
type Plan struct {
	Conns int           // 20 if it is 0
	QoS   int           // 1 if it is 0
	Rate  int           // messages a second, of all connections together
	For   time.Duration // how long at least: it does not end before what runs meanwhile, or there would be no load where a slow machine comes to it
	Extra []string      // more arguments of mqttload pub
}

// Tool runs mqttload and reads what it prints.
func Tool(t testing.TB, into any, args ...string) {
	t.Helper()
	if err := read(into, exec.Command(harness.Binary(t, "edged/test/mqttload"), args...), nil); err != nil {
		t.Fatal(err)
	}
}

// read runs a command to its end, or until stop is closed, and reads what it prints.
func read(into any, cmd *exec.Cmd, stop <-chan struct{}) error {
	args := cmd.Args[1:]
	ended := make(chan struct{})
	defer close(ended)
	cmd.Stdout = &bytes.Buffer{}
	err := cmd.Start()
	if err == nil {
		go func() {
			select {
			case <-stop:
				_ = cmd.Process.Signal(syscall.SIGTERM)
			case <-ended:
			}
		}()
		err = cmd.Wait()
	}
	out := cmd.Stdout.(*bytes.Buffer).Bytes()
	if ee, ok := err.(*exec.ExitError); err != nil && !(ok && ee.ExitCode() == 3) { // 3: something is missing, and said in the output
		return fmt.Errorf("mqttload %s: %w", strings.Join(args, " "), err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("mqttload %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Under publishes by a plan, and runs meanwhile next to it. It returns when both have ended, or when everything is sent that Extra says (-m).
func Under(t testing.TB, e *harness.Edged, p Plan, meanwhile func()) (r Run) {
	t.Helper()
	if p.Conns == 0 {
		p.Conns = 20
	}
	if p.QoS == 0 {
		p.QoS = 1
	}
	r.AckLog = filepath.Join(t.TempDir(), "ack")
	ctx, kill := context.WithCancel(context.Background())
	defer kill() // when meanwhile has failed the test, and does not return
	// They come back for as long as a gateway that is away may take.
	cmd := exec.CommandContext(ctx, harness.Binary(t, "edged/test/mqttload"), append([]string{"pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker), "-n", fmt.Sprint(p.Conns),
		"-qos", fmt.Sprint(p.QoS), "-rate", fmt.Sprint(p.Rate), "-d", "1h", "-reconnect", "10m", "-clean=false", "-acklog", r.AckLog}, p.Extra...)...)
	done, stop := make(chan error, 1), make(chan struct{})
	go func() { done <- read(&r, cmd, stop) }()
	enough := time.After(p.For)
	meanwhile()
	select {
	case err := <-done:
		done <- err
	case <-enough:
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return r
}

// Judge compares what was acknowledged with the raw rows in files of the data directory: each acknowledged message must be there, and
// none more often than it was published. It does not wait: call AtRest before.
func Judge(t testing.TB, e *harness.Edged, r Run, fault string, files ...string) verdict.Verdict {
	t.Helper()
	if len(r.Errors) > 0 {
		t.Errorf("the publishers gave up: %v", r.Errors)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(e.Dir, f))
	}
	var v struct {
		Acked   int64 `json:"acked"`
		Missing int64 `json:"acked_missing"`
		Excess  int64 `json:"excess"`
	}
	Tool(t, &v, "verify", "-acklog", r.AckLog, "-out", strings.Join(paths, ","), "-seq", "payload.seq", "-topic", "topic")
	return verdict.Verdict{Fault: fault, Acked: v.Acked, Lost: v.Missing, Doubled: v.Excess}
}

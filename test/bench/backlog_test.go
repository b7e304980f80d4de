package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edged/test/harness"

	"golang.org/x/sys/unix"
)

const backlog = 1 << 30 // bytes of store

// room is a store that has room for a backlog and for what comes in meanwhile.
const room = "max_bytes = \"3GiB\"\n"

// byBacklog lets the log that waits grow, and then has a new sink take it all.
func byBacklog(t *testing.T) {
	need(t, 5*backlog)
	config := store(strings.ReplaceAll(whole, "from = [\"field\"]\n", "from = [\"field\"]\nstart = \"now\"\n"), room+burst)
	full := prepared(t, config)
	full.fill(t, 66, 66000) // as many as 5,000 msg/s in 200 ms
	names := []string{"0", "1 GiB"}
	cost := make([][]float64, 2)
	for range rounds(2) {
		for i, g := range []*gateway{prepared(t, config), full} {
			g.Start()
			g.press(t, paced(flatRate, time.Second)...)
			p := g.press(t, paced(flatRate, 4*time.Second)...)
			if i == 0 {
				g.end()
			} else if err := g.Stop(); err != nil {
				t.Error(err)
			}
			cost[i] = append(cost[i], p.cpu)
		}
	}
	flat(t, "flat-backlog", names, []float64{median(cost[0]), median(cost[1])}, fmt.Sprintf("%d msg/s, 50 connections; the backlog is 66-byte readings in blocks of 1,000 that a cursor holds", flatRate))
	alone := intakeAlone(t)
	rows, _, ack := full.drain(t, 66)
	full.end()
	sitting.say(t, "catchup-66", measured{figure: rows / 1e3, edged: fmt.Sprintf("%.0f k rows/s", rows/1e3), notes: []string{"a new stream without a window begins at the oldest block, into a file; for 12 s at most, the rows that come in included"}})
	g := prepared(t, store(intake, room))
	g.fill(t, 1024, 256<<10)
	rows, bytes, ack1k := g.drain(t, 1024)
	g.end()
	sitting.say(t, "catchup-1k", measured{figure: bytes / 1e6, edged: fmt.Sprintf("%.0f MB/s, %.0f k rows/s", bytes/1e6, rows/1e3), notes: []string{"payloads only; the file is longer"}})
	worst := max(ack, ack1k)
	sitting.say(t, "catchup-intake", measured{figure: worst, edged: fmt.Sprintf("%.0f ms", worst), partner: fmt.Sprintf("edged without a backlog %.0f ms", alone), ratio: worst / alone,
		notes: []string{fmt.Sprintf("the worse of both drains, %.0f and %.0f ms; every message was acknowledged; default settings, the burst not spent before", ack, ack1k)}})
}

const drainStream = `
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[sink.archive]
type = "file"
path = "drained.ndjson"
`

// intakeAlone is the ack p99 of a gateway that has nothing to catch up with.
func intakeAlone(t *testing.T) float64 {
	g := started(t, store(intake, room)+drainStream)
	defer g.end()
	return publish(t, g.addr, g.PID(), paced(steadyRate, 4*time.Second)...).P99
}

// drain has a sink take everything that is stored while messages come in, for a while: rows a second, bytes of their payloads if they have so many each, and
// the ack p99 of what came in.
func (g *gateway) drain(t *testing.T, row float64) (rows, bytes, ack float64) {
	t.Helper()
	g.Configure(store(intake, room) + strings.ReplaceAll(drainStream, "stream.raw", "stream.drain"))
	g.Start()
	delivered := func() (n float64, pending int64) {
		for _, k := range g.Status().Sinks {
			for _, d := range k.Deliveries {
				n, pending = n+float64(d.Delivered), pending+d.Pending
			}
		}
		return n, pending
	}
	from, _ := delivered()
	began, limit := time.Now(), lasting(12*time.Second)
	acks := make(chan float64, 1)
	go func() {
		defer close(acks)
		acks <- publish(t, g.addr, g.PID(), paced(steadyRate, 12*time.Second)...).P99
	}()
	var n float64
	var took time.Duration
	for took < limit {
		time.Sleep(50 * time.Millisecond)
		var pending int64
		n, pending = delivered()
		took = time.Since(began)
		if n > from && pending < 3*steadyRate { // what waits has just come in
			break
		}
	}
	ack, ok := <-acks
	if !ok {
		t.FailNow()
	}
	if n == from {
		t.Fatal("nothing was drained")
	}
	rows = (n - from) / took.Seconds()
	return rows, rows * row, ack
}

// fill makes a store with a backlog of readings.
func (g *gateway) fill(t *testing.T, row, block int) {
	t.Helper()
	size := int64(backlog)
	if short() {
		size /= 10
	}
	fill(t, g.Dir, "-bytes", fmt.Sprint(size), "-row", fmt.Sprint(row), "-block", fmt.Sprint(block))
}

// fill runs test/fill until it is done, and kills it.
func fill(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(harness.Binary(t, "edged/test/fill"), append([]string{"-dir", dir}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	line, err := bufio.NewReader(out).ReadString('\n')
	var used, messages int64
	_, serr := fmt.Sscanf(line, "filled %d %d", &used, &messages)
	fmt.Printf("a store was filled with %d messages, %.1f MB, in %.0f s\n", messages, float64(used)/1e6, time.Since(began).Seconds())
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err = errors.Join(err, serr); err != nil {
		t.Fatalf("fill: %v %q", err, line)
	}
}

// need fails the measurement if the disk has less room than that.
func need(t *testing.T, bytes uint64) {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(t.TempDir(), &st); err != nil {
		t.Fatal(err)
	}
	if free := st.Bavail * uint64(st.Bsize); free < bytes {
		t.Fatalf("%d MiB are free for temporary files, and %d MiB are needed (TMPDIR)", free>>20, bytes>>20)
	}
}

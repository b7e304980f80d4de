// Package crash kills the real program, under load and in the middle of its work, and counts what is left.
package crash

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/need"
)

func TestMain(m *testing.M) { harness.Main(m) }

const config = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[store]
checkpoint_interval = "2s"
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 2s"
aggregate = { n = "count()", mean = "avg(value)" }
sinks = ["aggregates"]
[sink.archive]
type = "file"
path = "raw.ndjson"
%s
[sink.aggregates]
type = "file"
path = "aggregates.ndjson"
`

// load is what mqttload says of a run.
type load struct {
	Sent, Acked, Resent int64
	Errors              []string
}

type verdict struct {
	AckedMissing int64 `json:"acked_missing"`
	Duplicates   int64 `json:"duplicates"`
	Resent       int64 `json:"resent"`
	Rows         int64 `json:"rows"`
	Backward     int64 `json:"backward"`
	Acked        int64 `json:"acked"`
	Counted      int64 `json:"counted"`
}

func mqttload(t *testing.T, into any, args ...string) {
	t.Helper()
	out, err := exec.Command(harness.Binary(t, "edged/test/mqttload"), args...).Output()
	if ee, ok := err.(*exec.ExitError); err != nil && !(ok && ee.ExitCode() == 3) { // 3: something is missing, and said in the output
		t.Fatalf("mqttload %s: %v", strings.Join(args, " "), err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("mqttload %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// under publishes for a while, with reconnects, and runs meanwhile next to it.
func under(t *testing.T, e *harness.Edged, rate int, d time.Duration, meanwhile func()) (acklog string, l load) {
	t.Helper()
	acklog = filepath.Join(t.TempDir(), "ack")
	done := make(chan struct{})
	go func() {
		defer close(done)
		mqttload(t, &l, "pub", "-addr", fmt.Sprintf("127.0.0.1:%d", e.Broker), "-n", "20", "-qos", "1", "-rate", fmt.Sprint(rate),
			"-d", d.String(), "-reconnect", "30s", "-clean=false", "-acklog", acklog)
	}()
	meanwhile()
	<-done
	if len(l.Errors) > 0 {
		t.Fatalf("the publishers gave up: %v", l.Errors)
	}
	return acklog, l
}

// whole checks that no acknowledged message is missing from the raw files, that none is there more often than it was sent,
// and that the windows' counts are the raw rows, device by device.
func whole(t *testing.T, e *harness.Edged, acklog string, files ...string) {
	t.Helper()
	e.AtRest(30 * time.Second)
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(e.Dir, f))
	}
	var v verdict
	mqttload(t, &v, "verify", "-acklog", acklog, "-out", strings.Join(paths, ","), "-seq", "payload.seq", "-topic", "topic")
	t.Logf("acknowledged %d, lost %d, doubled %d (sent twice %d), rows %d", v.Acked, v.AckedMissing, v.Duplicates, v.Resent, v.Rows)
	if v.Acked == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
	if v.AckedMissing > 0 {
		t.Errorf("%d acknowledged messages are missing", v.AckedMissing)
	}
	if v.Duplicates > v.Resent {
		t.Errorf("%d doubles, and only %d messages were sent twice", v.Duplicates, v.Resent)
	}
}

func sameCounts(t *testing.T, e *harness.Edged, rawRows []map[string]any) {
	t.Helper()
	raw, windows := map[string]float64{}, map[string]float64{}
	for _, r := range rawRows {
		f := strings.Split(fmt.Sprint(r["topic"]), "/")
		raw[f[1]+"/"+f[3]]++
	}
	harness.Until(t, 30*time.Second, "all windows have closed", func() bool {
		clear(windows)
		total := 0.0
		for _, r := range e.Rows("aggregates.ndjson") {
			n, _ := r["n"].(float64)
			windows[fmt.Sprint(r["device"], "/", r["pin"])] += n
			total += n
		}
		return total >= float64(len(rawRows))
	})
	for k, n := range raw {
		if windows[k] != n {
			t.Errorf("device/pin %s: %v raw rows, %v in the windows", k, n, windows[k])
		}
	}
	if len(windows) != len(raw) {
		t.Errorf("%d groups in the windows, %d in the raw rows", len(windows), len(raw))
	}
}

// SIGKILL under load, and a restart a second later, again and again.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(config, ""))
	e.Start()
	kills := 3
	if os.Getenv("EDGED_TEST") == "all" {
		kills = 20
	}
	acklog, _ := under(t, e, 3000, time.Duration(kills)*1500*time.Millisecond+time.Second, func() {
		for i := range kills {
			time.Sleep(time.Duration(700+i*37%200) * time.Millisecond)
			e.Kill()
			time.Sleep(300 * time.Millisecond)
			e.Start()
		}
	})
	whole(t, e, acklog, "raw.ndjson")
	sameCounts(t, e, e.Rows("raw.ndjson"))
}

// Kills while the raw file rotates every few hundred milliseconds and closed files are compressed.
func TestKillWhileRotating(t *testing.T) {
	t.Parallel()
	e := harness.New(t, fmt.Sprintf(config, "rotate_size = \"100KiB\"\ncompress = \"gzip\""))
	e.Start()
	kills := 6
	if os.Getenv("EDGED_TEST") == "all" {
		kills = 40
	}
	acklog, _ := under(t, e, 4000, time.Duration(kills)*900*time.Millisecond+time.Second, func() {
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
	whole(t, e, acklog, append(names, "raw.ndjson")...)
}

// Two streams into one file, killed at the k-th write, sync or rename of the process for many k: each row once.
func TestKillAtTheKthCall(t *testing.T) {
	t.Parallel()
	strace := need.Tool(t, "strace")
	two := strings.Replace(fmt.Sprintf(config, "rotate_size = \"20KiB\"\ncompress = \"gzip\""), `sinks = ["aggregates"]`, `sinks = ["aggregates", "archive"]`, 1)
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
	acklog, _ := under(t, e, 1000, time.Duration(len(ks))*2200*time.Millisecond, func() {
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
	whole(t, e, acklog, names...)
	for line, n := range seen {
		if n > 1 {
			t.Errorf("%d times in the file: %s", n, line)
		}
	}
	if len(seen) == 0 {
		t.Error("no window's row reached the shared file")
	}
}

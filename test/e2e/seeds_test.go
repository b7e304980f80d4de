package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/need"
)

// shipped is a gateway with an example of configs/examples, which runs in a directory and on ports of its own. Of the pairs, the first text
// stands in the example, and is replaced by the second.
func shipped(t *testing.T, name string, pairs ...string) *harness.Edged {
	t.Helper()
	text, err := os.ReadFile("../../configs/examples/" + name + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("../../configs/examples")
	if err != nil {
		t.Fatal(err)
	}
	config := strings.ReplaceAll(string(text), "../../configs/examples", here)
	for p := range slices.Chunk(append(pairs, `data_dir = "edged-data/`+name+`"`, `data_dir = "{{dir}}"`), 2) {
		if strings.Count(config, p[0]) != 1 {
			t.Fatalf("%s.toml does not say %s, or more than once", name, p[0])
		}
		config = strings.Replace(config, p[0], p[1], 1)
	}
	return harness.New(t, config+"\n[http]\nlisten = \"127.0.0.1:{{http}}\"\n")
}

// batch is what was printed under one heading: the numbers by their key.
type batch struct {
	time   int64 // ms since 1970
	counts map[string]float64
}

var (
	heading = regexp.MustCompile(`^Time: (\d+) ms$`)
	tuple   = regexp.MustCompile(`^\((.*),(\d+)\)$`)
)

// printed reads what the gateway has printed as Spark's print does. A batch that is being printed may lack rows.
func printed(t *testing.T, e *harness.Edged) (batches []batch) {
	t.Helper()
	for line := range strings.Lines(e.Log()) {
		line = strings.TrimSuffix(line, "\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			ms, _ := strconv.ParseInt(m[1], 10, 64)
			batches = append(batches, batch{ms, map[string]float64{}})
		}
		m := tuple.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if len(batches) == 0 {
			t.Fatalf("%s has no heading", line)
		}
		b := batches[len(batches)-1]
		if _, twice := b.counts[m[1]]; twice {
			t.Errorf("%s is there twice at %d", m[1], b.time)
		}
		b.counts[m[1]], _ = strconv.ParseFloat(m[2], 64)
	}
	return batches
}

// Words that come from nc are counted in windows of three seconds, and printed as Spark prints them.
func TestWordCountOverNetcat(t *testing.T) {
	t.Parallel()
	nc, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	e := shipped(t, "wordcount", `dial = "127.0.0.1:9999"`, fmt.Sprintf("dial = %q", nc.Addr()))
	e.Start()
	c, err := nc.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	counted := func() map[string]float64 {
		sum := map[string]float64{}
		for _, b := range printed(t, e) {
			for word, n := range b.counts {
				sum[word] += n
			}
		}
		return sum
	}
	for round := 1; round <= 2; round++ {
		if _, err := io.WriteString(c, "to be or not  to be\n\n"); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint(map[string]float64{"to": float64(2 * round), "be": float64(2 * round), "or": float64(round), "not": float64(round)})
		harness.Until(t, 10*time.Second, "the words are printed: "+want, func() bool { return fmt.Sprint(counted()) == want })
	}
	before := int64(0)
	for _, b := range printed(t, e) {
		if b.time%3000 != 0 || b.time <= before {
			t.Errorf("the heading %d, after %d, is not the end of a later window", b.time, before)
		}
		before = b.time
	}
	if n := len(printed(t, e)); n < 2 || n > 4 {
		t.Errorf("%d headings", n)
	}
}

// Spark's queueStream: what is counted does not depend on when the file is read, nor on the batch interval.
func TestTheQueueOfFivePushes(t *testing.T) {
	t.Parallel()
	for _, interval := range []string{"50ms", "1s"} {
		t.Run(interval, func(t *testing.T) {
			t.Parallel()
			e := shipped(t, "queue", "[log]", "[batch]\ninterval = \""+interval+"\"\n[log]")
			e.Start()
			harness.Until(t, 10*time.Second, "three batches are printed", func() bool {
				b := printed(t, e)
				return len(b) == 3 && len(b[2].counts) == 10
			})
			e.AtRest(5 * time.Second)
			pushed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
			for i, b := range printed(t, e) {
				want := []float64{60, 60, 30}[i]
				if len(b.counts) != 10 || b.time != pushed+int64(i+1)*4000 {
					t.Errorf("%+v", b)
				}
				for key, n := range b.counts {
					if n != want {
						t.Errorf("(%s,%v) at %d, want %v", key, n, b.time, want)
					}
				}
			}
		})
	}
}

// A shell script is a receiver.
func TestAShellScriptIsAReceiver(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/loadavg"); err != nil {
		t.Skip("there is no /proc/loadavg")
	}
	e := shipped(t, "exec", `EVERY = "1"`, `EVERY = "0.05"`, "tumbling 5s", "tumbling 1s",
		`sinks = ["terminal"]`, `sinks = ["file"]`, "[sink.terminal]", "[sink.file]\ntype = \"file\"\npath = \"load.ndjson\"\n[sink.terminal]")
	e.Start()
	harness.Until(t, 10*time.Second, "windows of the load are there", func() bool { return len(e.Rows("load.ndjson")) >= 3 })
	for _, r := range e.Rows("load.ndjson") {
		n, _ := r["n"].(float64)
		mean, isMean := r["mean"].(float64)
		most, isMost := r["max"].(float64)
		running, isRunning := r["running"].(float64)
		if n < 1 || !isMean || !isMost || !isRunning || mean > most+1e-9 || running < 1 {
			t.Errorf("%v", r)
		}
	}
}

// What mosquitto_pub publishes is averaged for each device, on the terminal and in a file alike.
func TestAveragesOfDevices(t *testing.T) {
	t.Parallel()
	e := shipped(t, "averages", "127.0.0.1:1883", "127.0.0.1:{{broker}}", "tumbling 10s", "tumbling 1s")
	e.Start()
	readings := map[string][]float64{"kitchen": {20, 21.5, 23}, "cellar": {-3, 9, 12, 12.25}}
	for device, values := range readings {
		var in bytes.Buffer
		for i, v := range values {
			fmt.Fprintf(&in, []string{"%v\n", `{"value":%v}` + "\n"}[i%2], v) // a bare number, or a field
		}
		pub := exec.Command(need.Tool(t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", fmt.Sprint(e.Broker), "-q", "1", "-t", "sensors/"+device+"/temperature", "-l")
		pub.Stdin = &in
		if out, err := pub.CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_pub: %v\n%s", err, out)
		}
	}
	rows := func(device string) (rows []map[string]any, n float64) {
		for _, r := range e.Rows("averages.ndjson") {
			if r["device"] == device && r["quantity"] == "temperature" {
				rows = append(rows, r)
				n += r["n"].(float64)
			}
		}
		return rows, n
	}
	harness.Until(t, 10*time.Second, "every reading is in a window", func() bool {
		_, kitchen := rows("kitchen")
		_, cellar := rows("cellar")
		return kitchen == 3 && cellar == 4
	})
	for device, values := range readings {
		total, least, most := 0.0, math.Inf(1), math.Inf(-1)
		windows, _ := rows(device)
		for _, r := range windows {
			total += r["n"].(float64) * r["mean"].(float64)
			least, most = min(least, r["min"].(float64)), max(most, r["max"].(float64))
		}
		want := 0.0
		for _, v := range values {
			want += v
		}
		if math.Abs(total-want) > 1e-9 || least != slices.Min(values) || most != slices.Max(values) {
			t.Errorf("%s: %v in all, from %v to %v; published %v", device, total, least, most, values)
		}
	}
	e.AtRest(5 * time.Second)
	text, err := os.ReadFile(filepath.Join(e.Dir, "averages.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		harness.Until(t, 5*time.Second, "on the terminal: "+line, func() bool { return strings.Contains(e.Log(), line) })
	}
}

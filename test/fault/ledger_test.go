package fault

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/sinks/delivery"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/verdict"
)

// Every term of the ledger is used: poison for both streams, rows that are filtered, rows that are late, rows that a server refuses, and a server that is
// away for longer than its sink may hold back.
const ledgerConfig = `
[stream.events]
from = ["field"]
topics = ["site/+/gpio/+"]
time = "ts"
idle = "1s"
allowed_lateness = "1s"
where = "value > 20"
group_by = { device = "topic[1]" }
window = "tumbling 2s"
aggregate = { n = "count()" }
sinks = ["windows"]
[sink.windows]
type = "file"
path = "windows.ndjson"
[sink.cloud]
type = "http"
url = "http://%s/in"
batch_rows = 50
max_pending = "64KiB"
when_full = "drop_oldest"
`

// books is a state of the ledger at rest, and what there is to compare it with.
type books struct {
	status       daemon.Status
	raw, windows []map[string]any
	dead         int // rows in the file
	cloud        int // rows that the server took
}

// wrong holds the books against the world: what is in files and at the server was counted, and nothing else was.
func (b books) wrong() (out []string) {
	must := func(what string, counted uint64, there int) {
		if counted != uint64(there) {
			out = append(out, fmt.Sprintf("%s: %d are counted, %d are there", what, counted, there))
		}
	}
	filtered, old, results := 0, 0, 0
	for _, r := range b.raw {
		p, _ := r["payload"].(map[string]any)
		switch value, _ := p["value"].(float64); {
		case value <= 20:
			filtered++
		case p["ts"] == 1000.0:
			old++
		}
	}
	for _, r := range b.windows {
		n, _ := r["n"].(float64)
		results += int(n)
	}
	received := b.status.Receivers[0]
	raw, events := b.status.Streams[0], b.status.Streams[1]
	archive, cloud := b.delivery("archive"), b.delivery("cloud")
	must("stored", received.Stored-raw.Dead, len(b.raw))
	must("filtered", events.Filtered, filtered)
	must("late or applied", events.Late+events.Applied, len(b.raw)-filtered) // what a publisher repeats after a kill may be late, too
	must("applied", events.Applied, results)
	if events.Late < uint64(old) {
		out = append(out, fmt.Sprintf("late: %d are counted, %d are of 1970", events.Late, old))
	}
	must("dead of both streams", raw.Dead, int(events.Dead))
	must("dead", raw.Dead+events.Dead+cloud.Dead, b.dead)
	must("delivered to the file", archive.Delivered, len(b.raw))
	must("delivered to the server", cloud.Delivered, b.cloud)
	must("produced for the server", cloud.Produced, len(b.raw))
	return out
}

// repeats is the number of rows of the load that are in the file more than once.
func (b books) repeats() (n int64) {
	seen := map[string]bool{}
	for _, r := range b.raw {
		p, _ := r["payload"].(map[string]any)
		if p["seq"] == nil {
			continue // of strange
		}
		id := fmt.Sprint(r["topic"], " ", p["seq"])
		if seen[id] {
			n++
		}
		seen[id] = true
	}
	return n
}

func (b books) delivery(sink string) (d delivery.Status) {
	for _, k := range b.status.Sinks {
		if k.Name == sink {
			d = k.Deliveries[0]
		}
	}
	return d
}

// edged is killed at random moments, while all terms of the ledger move. After each restart it comes to rest, and the three equations hold, and
// everything that they count is in the world.
func TestLedgerSurvivesKills(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("EDGED_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("EDGED_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var life atomic.Int32
	var down atomic.Bool
	cloud := newEndpoint(t, "cloud", &life, nil)
	cloud.ill = func(p *post) {
		switch {
		case down.Load():
			p.answer(503)
		case strings.Contains(p.body, `5,"conn"`): // of ten messages one, so that not all of them are dropped
			p.answer(422)
		default:
			well(p)
		}
	}
	cloud.listen(t)
	config := strings.Replace(load.Config, `sinks = ["archive"]`, `sinks = ["archive", "cloud"]`, 1)
	config = config[:strings.Index(config, "[stream.pins]")] + fmt.Sprintf(ledgerConfig, cloud.addr)
	e := harness.New(t, config)
	e.Start()
	cycles := 2
	if all() {
		cycles = 10
	}
	var v verdict.Verdict
	var b books
	resent := int64(0)
	for i := range cycles {
		down.Store(true)
		run := load.Under(t, e, load.Plan{Rate: 700, For: 2 * time.Second, Extra: []string{"-conn0", fmt.Sprint(1 + 20*i), "-id", fmt.Sprintf("load%d-", i)}}, func() {
			harness.Until(t, 20*time.Second, "rows come", func() bool { return len(e.Rows("raw.ndjson")) > len(b.raw) })
			time.Sleep(time.Duration(random.IntN(800)) * time.Millisecond)
			strange(t, e)
			time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
			e.Kill()
			e.Start()
			// How much that takes depends on how well blocks can be packed, and so on how busy the machine is.
			harness.Until(t, 20*time.Second, "the server's sink drops", func() bool { return at(e).delivery("cloud").Dropped > b.delivery("cloud").Dropped })
		})
		down.Store(false)
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		e.Kill()
		e.Start()
		e.AtRest(60 * time.Second)
		harness.UntilSaid(t, 20*time.Second, "all windows have closed", func() string {
			b = at(e)
			b.cloud = len(cloud.rows("raw"))
			if wrong := b.wrong(); len(wrong) > 0 && !noWindowOpen(b) {
				return strings.Join(wrong, "; ")
			}
			return ""
		})
		e.AtRest(10 * time.Second)
		b = at(e)
		b.cloud = len(cloud.rows("raw"))
		for _, w := range b.wrong() {
			t.Errorf("after kill %d: %s", 2*i+2, w)
		}
		printed(t, e)
		one := load.Judge(t, e, run, "", "raw.ndjson")
		v.Acked, v.Lost = v.Acked+one.Acked, v.Lost+one.Lost
		resent += run.Resent
	}
	c := b.delivery("cloud")
	events := b.status.Streams[1]
	if c.Dead == 0 || c.Dropped == 0 || events.Filtered == 0 || events.Late == 0 || events.Dead == 0 {
		t.Errorf("not every term of the ledger has moved: %+v, %+v", c.Counts, events.Counts)
	}
	v.Fault = fmt.Sprintf("SIGKILL at random, %d times, all terms of the ledger moving", 2*cycles)
	v.Expected = fmt.Sprintf("at the server %d delivered, %d dead, %d dropped; %d filtered, %d late, %d dead, %d applied", c.Delivered, c.Dead, c.Dropped, events.Filtered, events.Late, events.Dead, events.Applied)
	v.Doubled = max(0, b.repeats()-resent)
	v.Holds(t)
	b.raw = b.raw[1:] // the control: a row that nobody counts as gone
	verdict.Verdict{Fault: "the ledger, one row taken out of the file by the test", Acked: v.Acked, Lost: int64(len(b.wrong()))}.Breaks(t)
}

// at reads the books.
func at(e *harness.Edged) books {
	return books{status: e.Status(), raw: e.Rows("raw.ndjson"), windows: e.Rows("windows.ndjson"), dead: len(e.Rows("dead.ndjson"))}
}

// noWindowOpen reports whether everything applied has come out of windows.
func noWindowOpen(b books) bool {
	n := 0.0
	for _, r := range b.windows {
		k, _ := r["n"].(float64)
		n += k
	}
	return uint64(n) >= b.status.Streams[1].Applied
}

// strange publishes what cannot be read, and what is late.
func strange(t *testing.T, e *harness.Edged) {
	t.Helper()
	cmd := exec.Command(need.Tool(t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", fmt.Sprint(e.Broker), "-q", "1", "-t", "site/0/gpio/1", "-l")
	cmd.Stdin = strings.NewReader(strings.Repeat("not JSON\n{\"value\":50,\"ts\":1000}\n", 15))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_pub: %v\n%s", err, out)
	}
}

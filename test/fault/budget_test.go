package fault

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// What the metrics say is written is what the kernel sees written to the store's file, and each commit is one sync.
func TestWrittenBytesAreCounted(t *testing.T) {
	t.Parallel()
	e := harness.New(t, load.Config)
	trace := filepath.Join(t.TempDir(), "trace")
	e.Wrap = []string{need.Tool(t, "strace"), "-D", "-f", "-qq", "-s", "0", "-o", trace, "-P", filepath.Join(e.Dir, "edged.db"), "-e", "trace=pwrite64,fdatasync"}
	e.Start()
	load.Under(t, e, load.Plan{Rate: 1000, For: 4 * time.Second}, func() {})
	e.AtRest(30 * time.Second)
	counted, commits := e.Metric("edged_store_written_bytes_total"), e.Metric("edged_store_commits_total")
	perByte, perDay := e.Metric("edged_store_written_per_stored_byte"), e.Metric("edged_store_written_bytes_per_day")
	stored := e.Metric("edged_store_stored_bytes_total")
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	written, syncs := traced(t, trace)
	t.Logf("written %d as counted, %d as traced; %.0f commits, %d syncs; %.2f bytes for each of %.0f stored, %.0f a day", int(counted), written, commits, syncs, perByte, stored, perDay)
	if off := float64(written)/counted - 1; off < -0.02 || off > 0.04 {
		t.Errorf("%d bytes were written, the metric says %.0f: %+.1f %%", written, counted, 100*off)
	}
	if extra := syncs - int(commits); extra < 0 || extra > 20 {
		t.Errorf("%d syncs for %.0f commits: want one each, and a few for opening and closing", syncs, commits)
	}
	if want := counted / stored; perByte < 0.9*want || perByte > 1.1*want || stored == 0 {
		t.Errorf("%.2f bytes written for each of %.0f stored ones, want about %.2f", perByte, stored, want)
	}
	if perDay < counted {
		t.Errorf("%.0f bytes a day, but %.0f were written in seconds", perDay, counted)
	}
}

var (
	traceWrite = regexp.MustCompile(`pwrite64.*= (\d+)$`)
	traceSync  = regexp.MustCompile(`fdatasync.*= 0$`)
)

func traced(t *testing.T, path string) (bytes, syncs int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if m := traceWrite.FindStringSubmatch(in.Text()); m != nil {
			n, _ := strconv.Atoi(m[1])
			bytes += n
		} else if traceSync.MatchString(in.Text()) {
			syncs++
		}
	}
	return bytes, syncs
}

// lone publishes one message at a time, and returns how long each waited for its acknowledgement, sorted.
func lone(w *rawmqtt.Client, n int) (waits []time.Duration) {
	for i := range n {
		id := uint16(i + 1)
		began := time.Now()
		w.Publish(rawmqtt.Publish{Topic: "site/1/gpio/1", Payload: `{"value":1}`, QoS: 1, ID: id})
		w.Acks(0x40, id)
		waits = append(waits, time.Since(began))
	}
	slices.Sort(waits)
	return waits
}

// many publishes at once as many as make a publisher one that stands still, and returns when all are acknowledged.
func many(w *rawmqtt.Client) time.Duration {
	began := time.Now()
	var ms []rawmqtt.Publish
	var ids []uint16
	for i := range 12 {
		ids = append(ids, uint16(1000+i))
		ms = append(ms, rawmqtt.Publish{Topic: "site/1/gpio/2", Payload: `{"value":2}`, QoS: 1, ID: ids[i]})
	}
	w.Publish(ms...)
	w.Acks(0x40, ids...)
	return time.Since(began)
}

// cadence is long beside what a commit takes while other tests keep the processors and the disk busy.
const cadence = 1500 * time.Millisecond

// spend is a store with a small write budget, and what becomes of acknowledgements when it is spent.
type spent struct {
	lone, many time.Duration // the middle one
	early      float64       // commits before the cadence while single messages were published
	says       string        // edged status
	sent       int
	lost       int64
}

func spend(t *testing.T, store string) (s spent) {
	e := harness.New(t, load.With(load.Config, "store", "commit_interval = \""+cadence.String()+"\"\n"+store))
	e.Start()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "lone"})
	for s.sent < 400 && !e.Status().Store.Budget.Spent {
		lone(w, 5)
		s.sent += 5
	}
	early := e.Metric("edged_store_early_commits_total")
	waits := lone(w, 7)
	s.lone, s.early = waits[3], e.Metric("edged_store_early_commits_total")-early
	var bursts []time.Duration
	for range 5 {
		bursts = append(bursts, many(w))
	}
	slices.Sort(bursts)
	s.many, s.sent = bursts[2], s.sent+7+5*12
	s.says = harness.Run(t, harness.Binary(t, "edged/cmd/edged"), "status", "--addr", fmt.Sprintf("127.0.0.1:%d", e.HTTP))
	e.AtRest(30 * time.Second)
	s.lost = int64(s.sent - len(e.Rows("raw.ndjson")))
	return s
}

// When the write budget is spent, a single message waits for the cadence, a publisher that stands still with many does not, and status says so.
func TestWriteBudgetIsSpent(t *testing.T) {
	t.Parallel()
	s := spend(t, "write_budget = \"1MB/day\"\nwrite_burst = \"1MiB\"")
	v := verdict.Verdict{Fault: "the write budget is spent", Acked: int64(s.sent), Lost: s.lost,
		Expected: fmt.Sprintf("a single message waits %v, 12 at once %v; %.0f early commits", s.lone.Round(time.Millisecond), s.many.Round(time.Millisecond), s.early)}
	v.Holds(t)
	if s.early != 0 || s.lone < cadence/2 {
		t.Errorf("%.0f early commits for single messages, which waited %v: the budget was spent", s.early, s.lone)
	}
	if s.many > cadence/2 {
		t.Errorf("a publisher that stands still waited %v", s.many)
	}
	if !strings.Contains(s.says, "the write budget of 1MB/day is spent") {
		t.Errorf("status does not say that the budget is spent:\n%s", s.says)
	}
}

// The control: without a bound, and with commit = "eager", the same messages get early commits for ever.
func TestWriteBudgetWithoutABound(t *testing.T) {
	t.Parallel()
	for _, store := range []string{`write_budget = "unlimited"`, "commit = \"eager\"\nwrite_budget = \"1MB/day\"\nwrite_burst = \"1MiB\""} {
		s := spend(t, store)
		if s.early < 5 || s.lone > cadence/2 || s.lost != 0 { // a message can fall on a commit that is due
			t.Errorf("%s: %.0f early commits, a single message waited %v, %d lost", store, s.early, s.lone, s.lost)
		}
		if !strings.Contains(s.says, "without a budget") {
			t.Errorf("%s: status says\n%s", store, s.says)
		}
	}
}

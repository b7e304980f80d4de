package sizing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/configs"
	"edged/test/wear"
)

// against is a gateway that runs in virtual time, and the same one worked out.
type against struct {
	name       string
	store      string // keys of [store]
	raws, wins int    // streams of either sort, each with a sink of its own
	window     string
	publishers int
	every      time.Duration
}

var cases = []against{
	{"at the cadence", spent, 1, 1, "tumbling 10s", 50, time.Second},
	{"with the write budget", "", 1, 1, "tumbling 10s", 50, time.Second},
	{"a second, with the write budget", "commit_interval = \"1s\"\n", 1, 1, "tumbling 10s", 50, time.Second},
	{"a second", spent + "commit_interval = \"1s\"\n", 1, 1, "tumbling 10s", 50, time.Second},
	{"a lone sensor, eager", "commit = \"eager\"\n", 2, 0, "", 1, time.Second},
	{"many groups in long windows", spent, 0, 1, "tumbling 10m", 300, 10 * time.Second},
}

const spent = "write_budget = \"1kB/day\"\n"

const (
	payload = 66
	near    = 0.25             // that the model may be off
	long    = 10 * time.Minute // what is used goes up and down, as entries are moved to the shelf and what nobody needs is freed
)

func (k against) config(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "data_dir = %q\n[http]\nlisten = \"\"\n[broker]\nlisten = [\"tcp://127.0.0.1:1883\"]\n", dir)
	fmt.Fprintf(&b, "[store]\nkeep = \"20s\"\nwrite_burst = \"1MiB\"\n%s[receiver.field]\ntype = \"mqtt\"\ntopics = [\"site/#\"]\n", k.store)
	for i := range k.raws {
		fmt.Fprintf(&b, "[stream.raw%d]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nsinks = [\"archive%d\"]\n[sink.archive%d]\ntype = \"file\"\npath = \"raw%d.ndjson\"\n", i, i, i, i)
	}
	for i := range k.wins {
		fmt.Fprintf(&b, `[stream.pins%d]
from = ["field"]
topics = ["site/#"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = %q
aggregate = { n = "count()", mean = "avg(value)", min = "min(value)", max = "max(value)" }
sinks = ["cloud%d"]
[sink.cloud%d]
type = "http"
url = "http://127.0.0.1:9/"
`, i, k.window, i, i)
	}
	return b.String()
}

func (k against) run(t *testing.T, settle, measure time.Duration, away ...string) wear.Worn {
	t.Helper()
	dir := t.TempDir()
	c := wear.Case{Config: k.config(dir), Away: away, Settle: settle, Measure: measure}
	for i := range k.publishers {
		c.Publishers = append(c.Publishers, wear.Publisher{Topic: fmt.Sprintf("site/%d/gpio/%d", i/10, i%10), Every: k.every, Bytes: payload})
	}
	return wear.Run(t, dir, c)
}

func (k against) report(t *testing.T) (*model, *Report) {
	t.Helper()
	c, problems, _ := configs.Load("edged.toml", []byte(k.config(t.TempDir())))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	rate := fmt.Sprintf("site/+/gpio/+=%v", float64(k.publishers)/k.every.Seconds())
	a := Ask{Rates: []string{rate}, Topics: k.publishers, Bytes: payload, QoS: 1, Sync: 100 * time.Microsecond, Free: -1} // a sync takes no virtual time
	r, err := Make(c, a)
	if err != nil {
		t.Fatal(err)
	}
	fl, _, _ := flows(c, &a)
	return newModel(c, fl, a.Sync.Seconds()), r
}

// What the model says of a day is what a real store and real files write over the same messages, within a quarter.
func TestTheModelAgainstAStore(t *testing.T) {
	for _, k := range cases {
		t.Run(strings.ReplaceAll(k.name, " ", "-"), func(t *testing.T) {
			m, r := k.report(t)
			w := k.run(t, 45*time.Second, time.Minute)
			compare(t, "messages a second", r.Messages, w.Messages/w.Seconds)
			waits := float64(w.Waits) / 1e6 // one in the middle is no later than the latest, and not far before the middle
			if t.Logf("acknowledged after %.1f ms; modelled %.1f, %.1f at most", waits, r.Store.AckMiddle, r.Store.AckMost); waits > r.Store.AckMost || waits < r.Store.AckMiddle/2-1 {
				t.Error("that is no middle of these")
			}
			files := 0.0
			for i := range m.sinks {
				if m.sinks[i].isFile {
					files += m.sinks[i].bytes
				}
			}
			compare(t, "bytes written to the store a day", r.Store.Written, w.PerDay(w.Written))
			compare(t, "commits a second", r.Store.Commits, w.Commits/w.Seconds)
			compare(t, "bytes of files a day", files*perDay, w.PerDay(w.Sinks))
		})
	}
}

// What a backlog takes of the store is what the model says, and what the store says.
func TestABacklogAgainstAStore(t *testing.T) {
	for _, k := range []against{cases[1], cases[3]} {
		t.Run(strings.ReplaceAll(k.name, " ", "-"), func(t *testing.T) {
			m, _ := k.report(t)
			w := k.run(t, 20*time.Second, long, "archive0")
			worn, _ := m.worn()
			compare(t, "bytes a second that are held", worn.held, w.Log/w.Seconds)
			compare(t, "bytes of pages a second", worn.held, w.Used/w.Seconds)
		})
	}
	k := against{"results", spent, 0, 1, "tumbling 10s", 100, time.Second}
	m, _ := k.report(t)
	w := k.run(t, 40*time.Second, long, "cloud0")
	compare(t, "bytes of pages of results a second", m.sinks[0].pages, w.Used/w.Seconds)
}

func compare(t *testing.T, what string, model, real float64) {
	t.Helper()
	if real == 0 && model == 0 {
		return
	}
	off := model/real - 1
	t.Logf("%-34s %14.2f modelled, %14.2f real: %+.0f %%", what, model, real, 100*off)
	if !(off > -near && off < near) {
		t.Errorf("%s: the model says %.2f, and it is %.2f: %+.0f %%; see constants.go", what, model, real, 100*off)
	}
}

package sql

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"edged"
	"edged/batches/window"
	"edged/test/need"
)

func all() bool { return os.Getenv("EDGED_TEST") == "all" }

// scenario is a kind of window, on arrival or event time. What SQL is to do stands beside what the stream is to do: nothing of it is taken from the engine.
type scenario struct {
	name, window, where string
	event               bool
	lateness            time.Duration
	queries             string // that of the kind
	size, every, pane   time.Duration
	rows                int
}

// where leaves d5 out: its messages come by two receivers, and by arrival time one of them could join two sessions.
const notD5 = `topic[1] != "d5"`

func scenarios() []scenario {
	long := 2 * time.Minute
	if all() {
		long = 20 * time.Minute
	}
	s := time.Second
	return []scenario{
		{name: "tumbling, arrival", window: "tumbling 10s", queries: "grid", size: 10 * s, every: 10 * s, pane: 10 * s},
		{name: "tumbling, event", window: "tumbling 10s", event: true, lateness: 5 * s, queries: "grid", size: 10 * s, every: 10 * s, pane: 10 * s},
		{name: "long, event", window: fmt.Sprintf("tumbling %dm", long/time.Minute), event: true, queries: "grid", size: long, every: long, pane: long},
		{name: "sliding, arrival", window: "sliding 15s every 10s", queries: "grid", size: 15 * s, every: 10 * s, pane: 5 * s},
		{name: "sliding, event", window: "sliding 1m every 20s", event: true, lateness: 5 * s, queries: "grid", size: 60 * s, every: 20 * s, pane: 20 * s},
		{name: "session, arrival", window: "session 30s", where: notD5, queries: "session", size: 30 * s},
		{name: "session, event", window: "session 30s", event: true, lateness: 60 * s, queries: "session", size: 30 * s},
		{name: "count, arrival", window: "count 100", queries: "count", rows: 100},
		{name: "count, event", window: "count 250", event: true, lateness: 5 * s, queries: "count", rows: 250},
		{name: "running, arrival", window: "running", queries: "running"},
		{name: "batch, arrival", window: "batch", queries: "batch"},
		{name: "batch, event", window: "batch", event: true, lateness: 5 * s, queries: "batch"},
	}
}

// parameters are what the queries are filled in with.
func (c *scenario) parameters(done int64) map[string]any {
	var quantiles []map[string]any
	for _, a := range checks() {
		if a.share != "" {
			quantiles = append(quantiles, map[string]any{"Name": a.name, "Share": a.share})
		}
	}
	where := "1"
	if c.where != "" {
		where = "g NOT LIKE 'd5/%'"
	}
	return map[string]any{
		"Event": c.event, "Lateness": int64(c.lateness), "Where": where, "Done": done,
		"Size": int64(c.size), "Every": int64(c.every), "Pane": int64(c.pane), "Gap": int64(c.size), "Rows": c.rows, "Quantiles": quantiles,
	}
}

func TestAgainstSQL(t *testing.T) {
	sqlite := need.Tool(t, "sqlite3")
	n := 10_000
	if all() {
		n = 1_000_000
	}
	const seed = 5
	messages := generate(seed, n)
	log, last := blocks(seed, messages)
	done := last + int64(time.Hour)
	log = append(log, tick(uint64(len(log))+1, done)) // by arrival time everything ends
	d := openDatabase(t, sqlite)
	writeCSV(t, filepath.Join(d.dir, "raw.csv"), messages)
	d.run(nil, "import")
	for _, c := range scenarios() {
		t.Run(c.name, func(t *testing.T) {
			if _, err := window.Parse(c.window); err != nil {
				t.Fatal(err)
			}
			d.t = t
			c.compare(t, d, log, done)
		})
	}
}

// compare holds the results of the engine against those of SQL.
func (c *scenario) compare(t *testing.T, d *database, log []edged.Entry, done int64) {
	began := time.Now()
	got, steps, counts := engine(t, c, log)
	ran := time.Since(began)
	with := c.parameters(done)
	with["Steps"] = steps
	want := d.compute(with, c.queries)
	late, taken := d.counts()
	if counts.Late != late || counts.Applied != taken-late {
		t.Errorf("the engine says %d late, %d applied; SQL %d and %d", counts.Late, counts.Applied, late, taken-late)
	}
	if c.event && c.size > 0 && late == 0 {
		t.Error("no row was late: this shows nothing about lateness")
	}
	cells, problems := differences(got, want)
	for i, p := range problems {
		if i == 20 {
			t.Errorf("and %d more", len(problems)-i)
			break
		}
		t.Error(p)
	}
	if len(want) == 0 {
		t.Error("there is no window")
	}
	t.Logf("%d rows, %d of them late; %d results, %d cells; the engine took %v, SQL %v",
		taken, late, len(want), cells, ran.Round(time.Millisecond), (time.Since(began) - ran).Round(time.Millisecond))
}

// compute has SQL compute everything of a case.
func (d *database) compute(with map[string]any, kind string) table {
	d.t.Helper()
	d.run(with, "rows", kind, "plain", "frequent", "quantiles")
	columns := []string{"v", "c", "b", "s"}
	for _, column := range columns {
		with["Column"] = column
		if with["Pane"] != int64(0) {
			d.run(with, "lasts")
		}
		d.run(with, "readings")
	}
	want := table{}
	for _, file := range append([]string{"plain", "order", "frequent", "many", "quantiles"}, columns...) {
		d.read(file+".csv", want, "first", "last", "collect", "mode", "top_k", "top_k_many", "histogram")
	}
	return want
}

// differences compares every cell of two tables.
func differences(got, want table) (cells int, problems []string) {
	squares := 0.0 // relative errors of distinct
	for k, cells := range got {
		if want[k] == nil {
			problems = append(problems, fmt.Sprintf("%+v: the engine has a result of %v rows, SQL none", k, cells["count"]))
		}
	}
	for k, w := range want {
		g := got[k]
		if g == nil {
			problems = append(problems, fmt.Sprintf("%+v: SQL has a result of %v rows, the engine none", k, w["count"]))
			continue
		}
		for _, c := range checks() {
			cells++
			expect := w[c.name]
			if expect == nil {
				expect = c.none
			}
			if what := c.rule(g[c.name], expect, w); what != "" {
				problems = append(problems, fmt.Sprintf("%+v: %s is %v, SQL says %v: %s", k, c.function, g[c.name], expect, what))
			}
		}
		if n, ok := w["distinct"].(float64); ok && n > 0 {
			off, _ := g["distinct"].(float64)
			squares += (off - n) / n * (off - n) / n
		}
	}
	if rms := math.Sqrt(squares / float64(max(1, len(want)))); rms > 0.01 {
		problems = append(problems, fmt.Sprintf("distinct is off by %.2f %% (root mean square), more than 1 %%", 100*rms))
	}
	return cells, problems
}

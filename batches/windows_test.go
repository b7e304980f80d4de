package batches

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

// given is a result of a stream that groups by device and counts as n.
type given struct {
	epoch      uint32
	start, end int64
	device     string
	n          float64
	revision   float64
	partial    bool
}

// allGiven are the results of a stream, in order.
func allGiven(t fataler, m *memStore) (all []given) {
	for _, r := range m.results["pins"] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for i := range rows.Len() {
			row := rows.Row(i)
			cell := func(name string) edged.Value {
				if at := slices.Index(rows.Names, name); at >= 0 {
					return row[at]
				}
				return edged.Value{}
			}
			number := func(name string) float64 {
				f, _ := cell(name).Float()
				return f
			}
			all = append(all, given{
				uint32(number("epoch")), cell("window_start").Nanos(), cell("window_end").Nanos(), cell("device").Str(), number("n"), number("revision"),
				cell("partial").Kind() == edged.Bool,
			})
		}
	}
	return all
}

func sorted(all []given) []given {
	return slices.SortedFunc(slices.Values(all), func(a, b given) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.start, b.start), cmp.Compare(a.device, b.device), cmp.Compare(a.end, b.end), cmp.Compare(a.n, b.n))
	})
}

// byDevice is a stream that counts the messages of each device in a kind of window.
func byDevice(window string) *StreamConfig {
	c := pinsConfig()
	c.Where, c.Window, c.GroupBy, c.Aggregate = "", window, conf.Pairs{{Key: "device", Value: "topic[1]"}}, conf.Pairs{{Key: "n", Value: "count()"}}
	return c
}

// plainRow is a message that becomes a row of such a stream.
type plainRow struct {
	epoch  uint32
	at     int64
	device string
	dated  bool // has a time of its own
}

func plainRows(e *edged.Entry) (rows []plainRow) {
	if e.Block == nil {
		return nil
	}
	for i := range e.Block.Len() {
		if e.Block.TopicOf(i) != "other" && e.Block.Payload(i)[0] == '{' {
			rows = append(rows, plainRow{e.Block.Cut.Epoch, e.Block.Arrival[i], e.Block.TopicOf(i)[5:6], bytes.Contains(e.Block.Payload(i), []byte("ts"))})
		}
	}
	return rows
}

// endOfTime moves the watermark behind everything.
func endOfTime(m *memStore) {
	for _, r := range []string{"a", "b"} {
		m.addTick(r, edged.Instant{Epoch: 1 << 20, Wall: 1})
	}
	for _, r := range []string{"a", "b"} { // and by way of idle, that of event time
		m.addTick(r, edged.Instant{Epoch: 1 << 20, Wall: 1e17})
	}
}

// run gives a log to a stream in one step.
func run(t fataler, c *StreamConfig, log []edged.Entry) *memStore {
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for _, e := range log {
		m.add(e)
	}
	endOfTime(m)
	step(t, s)
	return m
}

// Sessions against a plain computation: rows of a group in the order of time, cut where the gap is.
func TestSessionsAgainstAPlainCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gap := rapid.Int64Range(1, 30).Draw(t, "gap") * sec
		log := drawLog(t)
		var rows []plainRow
		for _, e := range log {
			rows = append(rows, plainRows(&e)...)
		}
		slices.SortStableFunc(rows, func(a, b plainRow) int {
			return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.at, b.at))
		})
		var want []given
		open := map[string]int{} // by device: place in want
		for _, r := range rows {
			i, ok := open[r.device]
			if !ok || want[i].epoch != r.epoch || r.at >= want[i].end {
				i = len(want)
				open[r.device] = i
				want = append(want, given{epoch: r.epoch, start: r.at, device: r.device})
			}
			want[i].end = r.at + gap
			want[i].n++
		}
		got := allGiven(t, run(t, byDevice("session "+strconv.FormatInt(gap/sec, 10)+"s"), log))
		if !slices.Equal(sorted(got), sorted(want)) {
			t.Fatalf("got  %v\nwant %v", sorted(got), sorted(want))
		}
	})
}

// By event time a row between two sessions joins them, and one that touches none is late when it would have ended.
func TestARowJoinsTwoSessions(t *testing.T) {
	c := byDevice("session 10s")
	c.From, c.Time, c.AllowedLateness = []string{"a"}, "ts", conf.Duration(30*time.Second)
	c.Aggregate = append(c.Aggregate, conf.Pair{Key: "first", Value: "first(value)"}, conf.Pair{Key: "last", Value: "last(value)"}, conf.Pair{Key: "rate", Value: "rate(value)"})
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for i, ts := range []int{1000, 1015, 1008, 1023, 1060, 1021, 1009, 900} { // two sessions, joined, further; the watermark comes to 1030; 1021 is in time
		m.addBlock(blockOf("a", edged.Instant{Wall: 5000 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":%d,"ts":%d000}`, (i+1)*10, ts), 5000 * sec}))
	}
	m.addBlock(blockOf("a", edged.Instant{Wall: 5000 * sec}, msg{"site/1/gpio/1", `{"value":0,"ts":1063001}`, 5000 * sec})) // the watermark passes 1033
	m.addBlock(blockOf("a", edged.Instant{Wall: 5000 * sec}, msg{"site/1/gpio/1", `{"value":0,"ts":1023000}`, 5000 * sec})) // what it would go into has left
	step(t, s)
	got := allGiven(t, m)
	if len(got) != 1 || got[0] != (given{start: 1000 * sec, end: 1033 * sec, device: "1", n: 6}) {
		t.Fatalf("%+v", got)
	}
	rows, _ := rowcodec.Decode(m.results["pins"][0].Data, 1, 1)
	if cells := fmt.Sprint(rows.Row(0)[4:6]); cells != fmt.Sprint([]edged.Value{edged.NumberValue(10), edged.NumberValue(70)}) {
		t.Errorf("first and last are %v", cells)
	}
	if s.rec.Late != 2 || s.rec.Applied != 8 {
		t.Errorf("%+v", s.rec.Counts)
	}
}

// Count windows against a plain computation: the rows of each device in log order, so many at a time.
func TestCountWindowsAgainstAPlainCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(t, "rows")
		log := drawLog(t)
		var want []given
		have := map[string][]plainRow{}
		for _, e := range log {
			for _, r := range plainRows(&e) {
				rows := append(have[r.device], r)
				if len(rows) == size {
					g := given{epoch: r.epoch, start: r.at, end: r.at + 1, device: r.device, n: float64(size)}
					for _, r := range rows {
						g.start, g.end = min(g.start, r.at), max(g.end, r.at+1)
					}
					want, rows = append(want, g), nil
				}
				have[r.device] = rows
			}
		}
		got := allGiven(t, run(t, byDevice("count "+strconv.Itoa(size)), log))
		if !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// Running counters against plain ones: after each block, those that have changed, by device.
func TestRunningCountsAgainstPlainCounters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		var want []given
		have := map[string]given{}
		for _, e := range log {
			changed := map[string]bool{}
			for _, r := range plainRows(&e) {
				g, ok := have[r.device]
				if !ok {
					g = given{device: r.device, start: r.at, end: r.at + 1}
				}
				g.epoch, g.start, g.end, g.n = r.epoch, min(g.start, r.at), max(g.end, r.at+1), g.n+1
				have[r.device], changed[r.device] = g, true
			}
			for _, d := range []string{"1", "2", "3"} {
				if changed[d] {
					want = append(want, have[d])
				}
			}
		}
		if got := allGiven(t, run(t, byDevice("running"), log)); !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// A group that was silent for long enough begins anew; a step of the clock alone is no silence.
func TestARunningGroupExpires(t *testing.T) {
	c := byDevice("running")
	c.From, c.Expire = []string{"a"}, conf.Duration(time.Minute)
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	row := func(device string, epoch uint32, at int64) {
		m.addBlock(blockOf("a", edged.Instant{Epoch: epoch, Wall: at * sec}, msg{"site/" + device + "/gpio/1", `{"value":1}`, at * sec}))
	}
	row("1", 0, 1000)
	row("2", 0, 1001)
	row("1", 0, 1030)
	row("2", 0, 1061) // just in time to be forgotten: by its entry's end it has spoken again
	row("1", 0, 1091) // so has this
	m.addTick("a", edged.Instant{Epoch: 1, Wall: 9000 * sec})
	row("1", 1, 9059)
	m.addTick("a", edged.Instant{Epoch: 1, Wall: 9061 * sec}) // 2 was silent in this epoch
	row("1", 1, 9062)
	row("2", 1, 9063)
	step(t, s)
	var got []string
	for _, g := range allGiven(t, m) {
		got = append(got, fmt.Sprint(g.device, ":", g.n))
	}
	if want := []string{"1:1", "2:1", "1:2", "2:2", "1:3", "1:4", "1:5", "2:1"}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if n := s.st.count(); n != 2 {
		t.Errorf("%d groups", n)
	}
}

// What a batch gives and where it ends are one commit: a batch that was committed does not come again, and no row is lost.
func TestBatchesAfterKills(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := byDevice("batch")
		if rapid.Bool().Draw(t, "event time") {
			c.Time, c.MaxFuture = "ts", conf.Duration(time.Hour)
		}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		want, got := map[string]float64{}, map[string]float64{}
		pending := false
		for _, e := range drawLog(t) {
			m.add(e)
			for _, r := range plainRows(&e) {
				if r.dated || c.Time == "arrival" {
					want[r.device]++
				}
			}
			pending = true
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				before := len(m.results["pins"])
				step(t, s)
				if n := len(m.results["pins"]); n > before+1 {
					t.Fatalf("%d results of one step", n-before)
				}
				pending = false
			case 1:
				s = newStream(c, p, m)
				open(t, s)
			case 2:
				step(t, s)
				m.ride(s)
				s = newStream(c, p, m)
				open(t, s)
				pending = false
			}
		}
		if pending {
			step(t, s)
		}
		for _, g := range allGiven(t, m) {
			got[g.device] += g.n
			if g.start >= g.end || g.partial {
				t.Fatalf("%+v", g)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		if s.rec.Late > 0 || !s.Status().Balanced {
			t.Fatalf("%+v", s.Status())
		}
	})
}

func TestBatchesFollowOneAnother(t *testing.T) {
	c := byDevice("batch")
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for i := range int64(4) {
		if i != 2 { // an empty batch gives nothing
			for _, device := range []string{"2", "1", "2"} {
				at := (1001 + 10*i) * sec
				m.addBlock(blockOf("a", edged.Instant{Wall: at + sec}, msg{"site/" + device + "/gpio/1", `{"value":1}`, at}))
			}
		}
		m.addTick("a", edged.Instant{Wall: (1009 + 10*i) * sec})
		step(t, s)
		if i == 0 {
			s = newStream(c, p, m)
			open(t, s)
		}
	}
	var want []given
	for _, w := range [][2]int64{{1001, 1009}, {1009, 1019}, {1029, 1039}} {
		want = append(want, given{start: w[0] * sec, end: w[1] * sec, device: "1", n: 1}, given{start: w[0] * sec, end: w[1] * sec, device: "2", n: 2})
	}
	if got := allGiven(t, m); !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(m.values["state/pins"]); n != 1 {
		t.Errorf("%d values are kept of a stream that has nothing open", n)
	}
}

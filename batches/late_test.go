package batches

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"
	"edged/test/await"

	"pgregory.net/rapid"
)

// lateConfig is a stream with a window in which rows can be late. Its event time stands still without rows.
func lateConfig(t *rapid.T) *StreamConfig {
	c := pinsConfig()
	c.Window = rapid.SampledFrom([]string{"tumbling 10s", "sliding 20s every 5s", "sliding 15s every 10s", "session 20s"}).Draw(t, "window")
	c.Time, c.Idle, c.Late = "ts", 0, "y"
	c.AllowedLateness = conf.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "lateness"))
	c.Aggregate = conf.Pairs{{Key: "n", Value: "count()"}}
	c.MaxGroups = rapid.SampledFrom([]int{2, 100}).Draw(t, "max groups")
	return c
}

// lateByHand says which rows of a log are late, and how many were dead letters, by nothing but arithmetic.
func lateByHand(c *StreamConfig, p *Plan, log []edged.Entry) (late []string, dead int) {
	watermark := int64(never)
	for _, e := range log {
		if e.Block == nil {
			continue
		}
		b, high := e.Block, watermark
		for i := range b.Len() {
			var r struct {
				Value *float64
				TS    *int64
			}
			if b.TopicOf(i) == "other" {
				continue
			}
			if json.Unmarshal(b.Payload(i), &r) != nil || r.TS == nil || b.Trusted && *r.TS*1e6 > b.Arrival[i]+int64(c.MaxFuture) {
				dead++
				continue
			}
			if r.Value == nil || *r.Value <= -40 {
				continue
			}
			at := *r.TS * 1e6
			last := at - ((at%p.window.Every)+p.window.Every)%p.window.Every // the last window that it would be in
			if watermark != never && last+p.window.Size <= watermark {
				late = append(late, fmt.Sprint(at, b.TopicOf(i), string(b.Payload(i))))
				continue
			}
			high = max(high, at-int64(c.AllowedLateness))
		}
		watermark = high
	}
	return late, dead
}

// givenLate are the rows of the side log, in order.
func givenLate(t fataler, m *memStore) (out []string) {
	names := []string{"time", "topic", "device", "kind", "payload", "epoch", "clock_trusted"}
	for _, r := range m.results["pins.late"] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil || rows.Stream != "pins.late" || !slices.Equal(rows.Names, names) || r.Cause == 0 {
			t.Fatalf("%v %+v %+v", err, rows, r)
		}
		for i := range rows.Len() {
			row := rows.Row(i)
			if want := row[1].Str()[5:6]; row[2].Str() != want {
				t.Fatalf("device %s of %s", row[2].Str(), row[1].Str())
			}
			out = append(out, fmt.Sprint(row[0].Nanos(), row[1].Str(), row[4].Str()))
		}
	}
	return out
}

// Every late row is in the side log once, in the order of the log, whatever the steps and kills; results and counts are as without it.
func TestLateRowsAreGivenOnce(t *testing.T) {
	some := 0
	await.Luck(t, func() bool { return some > 0 }, func(t *rapid.T) {
		c := lateConfig(t)
		p := mustPlan(t, c)
		log := drawLog(t)
		run := func(c *StreamConfig, rough bool) (*memStore, *Stream) {
			if rough {
				return roughly(t, c, p, log)
			}
			m := newMemStore(p)
			s := newStream(c, p, m)
			open(t, s)
			for _, e := range log {
				m.add(e)
			}
			step(t, s)
			return m, s
		}
		without := *c
		without.Late = ""
		plain, counted := run(&without, false)
		if len(plain.results["pins.late"]) > 0 {
			t.Fatal("late rows were given that nobody asked for")
		}
		want, dead := []string(nil), 0
		if p.window.OnGrid() {
			want, dead = lateByHand(c, p, log)
			if uint64(dead) != counted.rec.Dead {
				t.Fatalf("%d dead letters, %d by hand", counted.rec.Dead, dead)
			}
		} else {
			m, _ := run(c, false)
			want = givenLate(t, m)
		}
		m, s := run(c, true)
		if got := givenLate(t, m); !slices.Equal(got, want) || uint64(len(got)) != counted.rec.Late {
			t.Fatalf("%d were counted late\ngot  %v\nwant %v", counted.rec.Late, got, want)
		}
		if got, want := outcome(t, m), outcome(t, plain); !slices.Equal(got, want) || s.rec.Counts != counted.rec.Counts {
			t.Fatalf("got  %v %+v\nwant %v %+v", got, s.rec.Counts, want, counted.rec.Counts)
		}
		f := SideFeed(m, "pins.late", "y")
		if f.Produced() != uint64(len(want)) {
			t.Fatalf("%d rows are produced, and there are %d", f.Produced(), len(want))
		}
		some += len(want)
	})
	if some == 0 {
		t.Error("no row was late in any of them")
	}
}

// A message is not late if one of its rows is not; the others of its rows go to the side log all the same. What select makes stands in place of the payload,
// and a column of that name that they are grouped by before it.
func TestLateRowsOfAList(t *testing.T) {
	c := pinsConfig()
	c.From, c.Time, c.Late, c.AllowedLateness, c.Where = []string{"a"}, "ts", "y", 0, ""
	c.FlatMap = conf.Pairs{{Key: "r", Value: "readings"}}
	c.Time = "r.ts"
	c.Select = conf.Pairs{{Key: "celsius", Value: "r.v - 273"}, {Key: "room", Value: "r.room"}}
	c.GroupBy = conf.Pairs{{Key: "room", Value: "topic[1]"}}
	c.Aggregate = conf.Pairs{{Key: "mean", Value: "avg(celsius)"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	at := 2000 * sec
	for _, payload := range []string{
		`{"readings":[{"ts":1995000,"v":300}]}`,
		`{"readings":[{"ts":1996000,"v":301,"room":"x"},{"ts":1900000,"v":302},{"ts":1901000,"v":303}]}`,
		`{"readings":[{"ts":1902000,"v":304}]}`,
	} {
		m.addBlock(blockOf("a", edged.Instant{Wall: at}, msg{"site/1/gpio/1", payload, at}))
		m.addTick("a", edged.Instant{Wall: at})
		at += sec
	}
	step(t, s)
	if s.rec.Late != 1 || s.rec.Applied != 2 {
		t.Errorf("%+v", s.rec.Counts)
	}
	if len(m.results["pins.late"]) != 1 {
		t.Fatalf("%d entries of the side log for one step", len(m.results["pins.late"]))
	}
	r := m.results["pins.late"][0]
	rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
	if err != nil || !slices.Equal(rows.Names, []string{"time", "topic", "room", "celsius", "epoch", "clock_trusted"}) || !slices.Equal(rows.Names, p.LateNames()) {
		t.Fatalf("%v %v", err, rows)
	}
	var got []string
	for i := range rows.Len() {
		v, _ := rows.Row(i)[3].Float()
		got = append(got, fmt.Sprint(rows.Row(i)[0].Nanos()/sec, " ", rows.Row(i)[2].Str(), " ", v))
	}
	if want := []string{"1900 1 29", "1901 1 30", "1902 1 31"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// If damage takes the count of a side log, its rows are still there, and what is appended is counted from then on; deliveries wait until then.
func TestACountOfASideLogThatWasLost(t *testing.T) {
	c := pinsConfig()
	c.From, c.Time, c.Late, c.AllowedLateness = []string{"a"}, "ts", "y", 0
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	f := SideFeed(m, "pins.late", "y")
	if f.End() != (edged.Place{}) {
		t.Error("a side log that does not exist is open")
	}
	open(t, s)
	late := func() {
		for _, ts := range []int{2000000, 1000000} {
			m.addBlock(blockOf("a", edged.Instant{Wall: 2000 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"ts":%d}`, ts), 2000 * sec}))
		}
		step(t, s)
	}
	late()
	life := f.Life()
	if f.Produced() != 1 || life == 0 || f.End().Seq != 2 {
		t.Fatalf("%d %d %v", f.Produced(), life, f.End())
	}
	m.cursors["side/pins.late"] = edged.Cursor{Name: "side/pins.late", Lost: true}
	if _, err := f.Oldest(); err == nil || f.End() != (edged.Place{}) {
		t.Error("it is open without a count")
	}
	s = newStream(c, p, m)
	open(t, s)
	if f.Life() == life || f.Produced() != 0 || f.End().Seq != 2 {
		t.Errorf("%d %d %v", f.Produced(), f.Life(), f.End())
	}
	late()
	at, err := f.Oldest()
	if err != nil || f.Produced() != 1 {
		t.Fatal(f.Produced(), err)
	}
	if r, err := f.Read(at, edged.Place{}, edged.Limits{Rows: 10, Bytes: 1 << 20}); err != nil || r.Rows.Len() != 2 || r.To != f.End() {
		t.Errorf("%v %+v", err, r)
	}
}

// Rows that are for some sinks pass the others without a trace: not a row, not a count.
func TestRowsForSomeSinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemStore()
		const log = "pins.replay"
		want := map[string][]float64{}
		n := 0.0
		for range rapid.IntRange(1, 8).Draw(t, "entries") {
			to := rapid.SampledFrom([][]string{nil, {"a"}, {"b"}, {"b", "a"}}).Draw(t, "to")
			g := sideRows{log: log, sinks: to}
			g.rows.Stream, g.rows.Names = "pins", []string{"n"}
			for range rapid.IntRange(1, 4).Draw(t, "rows") {
				n++
				g.rows.Cells = append(g.rows.Cells, edged.NumberValue(n))
				g.end(1 << 20)
				for _, k := range []string{"a", "b", "c"} {
					if len(to) == 0 || slices.Contains(to, k) {
						want[k] = append(want[k], n)
					}
				}
			}
			u := &edged.Update{Results: []edged.Result{g.entry()}}
			(&sideLog{s: m, name: log, sinks: to, only: len(to) > 0}).count(u)
			if err := m.Commit(context.Background(), u, false); err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range []string{"a", "b", "c"} {
			f := SideFeed(m, log, k)
			at, err := f.Oldest()
			if err != nil {
				t.Fatal(err)
			}
			var got []float64
			for at != f.End() {
				until := edged.Place{}
				if rapid.Bool().Draw(t, "a part") {
					until = edged.Place{Log: log, Pos: edged.Pos{Seq: at.Seq, Off: at.Off + 1}}
				}
				r, err := f.Read(at, until, edged.Limits{Rows: rapid.IntRange(1, 5).Draw(t, "limit"), Bytes: 1 << 20})
				if err != nil || r.To.Before(at.Pos) || until != (edged.Place{}) && until.Before(r.To.Pos) {
					t.Fatalf("from %v until %v: %v, to %v", at, until, err, r.To)
				}
				if r.To == at {
					t.Fatalf("it stands still at %v", at)
				}
				for i := range r.Rows.Len() {
					v, _ := r.Rows.Row(i)[0].Float()
					got = append(got, v)
				}
				at = r.To
			}
			if !slices.Equal(got, want[k]) || f.Produced() != uint64(len(got)) {
				t.Fatalf("sink %s got %v, want %v; produced are %d", k, got, want[k], f.Produced())
			}
		}
	})
}

// Until the sink of the late rows has a cursor, the side log is held for it, whatever it takes the sink to begin.
func TestLateRowsAreHeld(t *testing.T) {
	c := pinsConfig()
	c.From, c.Time, c.Late, c.AllowedLateness = []string{"a"}, "ts", "y", 0
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	holds := func() bool {
		side := m.cursors["side/pins.late"]
		at, ok := side.Need.Next(0)
		return ok && side.Log == "pins.late" && at <= 1
	}
	late := func() {
		for _, ts := range []int{2000000, 1000000} {
			m.addBlock(blockOf("a", edged.Instant{Wall: 2000 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"ts":%d}`, ts), 2000 * sec}))
		}
		step(t, s)
	}
	if late(); !holds() {
		t.Error("nobody holds the late rows")
	}
	s = newStream(c, p, m)
	if open(t, s); !holds() {
		t.Error("nobody holds the late rows after a restart")
	}
	m.cursors["delivery/pins.late/y"] = edged.Cursor{Name: "delivery/pins.late/y", Log: "pins.late", Need: edged.SpansFrom(1)}
	if late(); holds() || SideFeed(m, "pins.late", "y").Produced() != 2 {
		t.Errorf("%+v", m.cursors["side/pins.late"])
	}
	delete(m.cursors, "delivery/pins.late/y")
	if late(); !holds() {
		t.Error("nobody holds the late rows for a delivery that was forgotten")
	}
	m.cursors["delivery/pins.late/y"] = edged.Cursor{Name: "delivery/pins.late/y", Log: "pins.late", Need: edged.SpansFrom(1)}
	life := SideFeed(m, "pins.late", "y").Life()
	s = newStream(c, p, m)
	if open(t, s); holds() || SideFeed(m, "pins.late", "y").Produced() != 3 || SideFeed(m, "pins.late", "y").Life() != life {
		t.Errorf("%+v", m.cursors["side/pins.late"])
	}
}

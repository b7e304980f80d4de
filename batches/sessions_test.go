package batches

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

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

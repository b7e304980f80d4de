package batches

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"testing"

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
						g.epoch, g.start, g.end = max(g.epoch, r.epoch), min(g.start, r.at), max(g.end, r.at+1)
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

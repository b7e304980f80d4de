package batches

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

// cells are the results of a stream, in order, by the names of their columns.
func cells(t fataler, m *memStore) (all []map[string]edged.Value) {
	for _, r := range m.results["pins"] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for i := range rows.Len() {
			row := map[string]edged.Value{}
			for j, name := range rows.Names {
				row[name] = rows.Row(i)[j]
			}
			all = append(all, row)
		}
	}
	return all
}

// said is a column of all results, one after the other.
func said(t fataler, m *memStore, names ...string) string {
	var b strings.Builder
	for _, row := range cells(t, m) {
		fmt.Fprint(&b, row["window_start"].Nanos()/sec)
		for _, name := range names {
			switch v := row[name]; v.Kind() {
			case edged.Number:
				f, _ := v.Float()
				fmt.Fprint(&b, " ", f)
			case edged.Bool:
				fmt.Fprint(&b, " ", name)
			case edged.Null:
				b.WriteString(" null")
			}
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// watching is a stream that looks back.
func watching(window string, functions ...string) *StreamConfig {
	c := byDevice(window)
	c.From = []string{"a"}
	for i, f := range functions {
		c.Aggregate = append(c.Aggregate, conf.Pair{Key: fmt.Sprint("x", i), Value: f})
	}
	return c
}

// A sensor that reports on change and was silent for longer than a window is known in the next one, also behind a restart. The silence gives no results.
func TestASilentSensorIsKnown(t *testing.T) {
	c := watching("tumbling 10s", "duty(value)", "twa(value)", "increase(value)", "edges(value)")
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	feedBlock(m, 1001*sec, `{"value":1}`)
	feedBlock(m, 1024*sec, `{}`) // a row of the group, and no reading
	m.addTick("a", edged.Instant{Wall: 1050 * sec})
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = newStream(c, p, m)
	open(t, s)
	feedBlock(m, 1065*sec, `{"value":0}`)
	m.addTick("a", edged.Instant{Wall: 1075 * sec})
	step(t, s)
	const want = "1000 1 1 null 0; 1020 1 1 null 0; 1060 0.5 0.5 0 1"
	if got := said(t, m, "x0", "x1", "x2", "x3"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	m.addTick("a", edged.Instant{Epoch: 1, Wall: 900 * sec}) // a step of the clock
	b := blockOf("a", edged.Instant{Epoch: 1, Wall: 906 * sec}, msg{"site/1/gpio/1", `{"value":1}`, 905 * sec})
	m.addBlock(b)
	m.addTick("a", edged.Instant{Epoch: 1, Wall: 920 * sec})
	step(t, s)
	if got := said(t, m, "x0", "x1", "x2", "x3"); got != want+"; 900 1 1 null 0" {
		t.Errorf("behind a step of the clock: %s", got)
	}
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(m.values["state/pins"]); n != 2 { // the header, and what was before in the new epoch
		t.Errorf("%d values are kept", n)
	}
}

// What a window that is open is shown to begin with is the last reading so far, of windows that are open yet too.
func TestEarlyResultsKnowWhatWasBefore(t *testing.T) {
	c := watching("tumbling 10s", "delta(value)")
	c.Time, c.AllowedLateness, c.EmitEvery, c.Idle = "ts", conf.Duration(30*time.Second), conf.Duration(2*time.Second), 0
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	row := func(at int, value float64) {
		m.addBlock(blockOf("a", edged.Instant{Wall: 2000 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":%v,"ts":%d}`, value, at*1000), 2000 * sec}))
		step(t, s)
	}
	row(1001, 5)
	row(1022, 7)  // the watermark is 992; window 1000 is open
	row(1003, 6)  // what 1020 begins with is another one now
	row(1024, 10) // 994
	row(1075, 0)  // 1045: both leave
	const want = "1000 null 1; 1020 2 1; 1000 1 2; 1020 4 2; 1000 1 3; 1020 4 3; 1070 -10 1"
	if got := said(t, m, "x0", "revision"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The reading that a window begins with, against a plain search: it is the latest one before the window's beginning, of those at the same time the last in the
// log, whatever the window, the time, the order of the rows and the restarts.
func TestWindowsKnowWhatWasBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := watching(rapid.SampledFrom([]string{"tumbling 10s", "sliding 20s every 5s", "sliding 15s every 10s"}).Draw(t, "window"), "delta(value)")
		lateness, event := int64(0), rapid.Bool().Draw(t, "event time")
		if event {
			lateness = rapid.SampledFrom([]int64{0, 5, 60}).Draw(t, "lateness") * sec
			c.Time, c.AllowedLateness, c.Idle = "ts", conf.Duration(lateness), conf.Duration(10*sec)
		}
		if rapid.Bool().Draw(t, "early") {
			c.EmitEvery = conf.Duration(3 * time.Second)
		}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		type reading struct {
			device string
			at     int64
			value  float64
		}
		var rows []reading
		now := 1000 * sec
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			now += rapid.SampledFrom([]int64{0, 1, 3, 12, 50}).Draw(t, "on") * sec
			r := reading{fmt.Sprint(rapid.IntRange(1, 2).Draw(t, "device")), now, float64(len(rows))}
			if event {
				r.at -= rapid.Int64Range(0, lateness/sec).Draw(t, "out of order") * sec
			}
			value := fmt.Sprint(r.value)
			if rapid.IntRange(0, 4).Draw(t, "none") == 0 {
				value = "null"
			} else {
				rows = append(rows, r)
			}
			m.addBlock(blockOf("a", edged.Instant{Wall: now + sec/2}, msg{"site/" + r.device + "/gpio/1", fmt.Sprintf(`{"value":%s,"ts":%d}`, value, r.at/1e6), now}))
			switch rapid.IntRange(0, 4).Draw(t, "then") {
			case 0:
				step(t, s)
			case 1:
				step(t, s)
				if err := s.checkpoint(context.Background()); err != nil {
					t.Fatal(err)
				}
				fallthrough
			case 2:
				s = newStream(c, p, m)
				open(t, s)
			}
		}
		endOfTime(m)
		m.addTick("a", edged.Instant{Epoch: 1 << 20, Wall: 2e17})
		step(t, s)
		last := func(device string, from, to int64) (found *reading) {
			for i, r := range rows {
				if r.device == device && r.at >= from && r.at < to && (found == nil || r.at >= found.at) {
					found = &rows[i]
				}
			}
			return found
		}
		finals := map[string]edged.Value{}
		for _, g := range cells(t, m) {
			finals[fmt.Sprint(g["device"].Str(), " ", g["window_start"].Nanos(), " ", g["window_end"].Nanos())] = g["x0"] // the last one is final
		}
		for k, got := range finals {
			var device string
			var start, end int64
			fmt.Sscan(k, &device, &start, &end)
			before, in := last(device, 0, start), last(device, start, end)
			if before == nil || in == nil {
				continue
			}
			if want := edged.NumberValue(in.value - before.value); got != want {
				t.Fatalf("window %d of %s: %v, want %v: from %+v to %+v", start/sec, device, got, want, before, in)
			}
		}
	})
}

// Of more groups than max_groups those are kept that had a row last, in memory and on disk.
func TestWhatWasBeforeIsBounded(t *testing.T) {
	c := watching("tumbling 10s", "delta(value)")
	c.MaxGroups = 16
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	at := 1000 * sec
	for i := range 100 {
		at += 10 * sec
		m.addBlock(devices(3*i, 3*i+3, at))
		step(t, s)
		if i%7 == 0 {
			if err := s.checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.addTick("a", edged.Instant{Wall: at + 10*sec})
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	kept := s.st.(*panes).past[0]
	if len(kept) > 16 || len(kept) < 14 {
		t.Errorf("%d are kept", len(kept))
	}
	for _, b := range kept {
		if b.since < at-60*sec {
			t.Errorf("one of %d is kept, and later ones are not", b.since/sec)
		}
	}
	if n := len(m.values["state/pins"]); n != len(kept)+1 {
		t.Errorf("%d values on disk", n)
	}
	m.addBlock(devices(300-3, 300, at+20*sec)) // the last ones are known
	m.addTick("a", edged.Instant{Wall: at + 50*sec})
	step(t, s)
	all := cells(t, m)
	for _, g := range all[len(all)-3:] {
		if g["x0"] != edged.NumberValue(0) {
			t.Errorf("%v", g)
		}
	}
}

// What cannot be read of it after a restart is missing from the group's next result, which says partial; behind it all is well.
func TestWhatWasBeforeAndIsLostSaysPartial(t *testing.T) {
	c := watching("tumbling 10s", "delta(value)")
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	m.addBlock(devices(1, 3, 901*sec))
	m.addTick("a", edged.Instant{Wall: 911 * sec})
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = newStream(c, p, m)
	s.o.Store = torn{m, map[string]bool{"state/pins b": true}}
	open(t, s)
	m.addBlock(devices(1, 3, 941*sec))
	m.addTick("a", edged.Instant{Wall: 951 * sec})
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = newStream(c, p, m)
	var log strings.Builder
	s.o.Log = slog.New(slog.NewTextHandler(&log, nil))
	open(t, s)
	if log.Len() > 0 {
		t.Errorf("what could not be read is still there: %s", log.String())
	}
	m.addBlock(devices(1, 3, 961*sec))
	m.addTick("a", edged.Instant{Wall: 971 * sec})
	step(t, s)
	want := []string{"900 null", "900 null", "940 null partial", "940 null partial", "960 0", "960 0"}
	if got := strings.Split(said(t, m, "x0", "partial"), "; "); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

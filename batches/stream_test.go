package batches

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

// drawLog makes a log of two receivers: blocks, idle cuts, ticks, clock steps, poison.
func drawLog(t *rapid.T) []edged.Entry {
	var log []edged.Entry
	at := map[string]edged.Instant{"a": {Wall: 1000 * sec}, "b": {Wall: 1000 * sec}}
	for range rapid.IntRange(1, 25).Draw(t, "entries") {
		r := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "receiver")
		cut := at[r]
		if rapid.IntRange(0, 25).Draw(t, "step") == 0 {
			cut = edged.Instant{Epoch: cut.Epoch + 1, Wall: cut.Wall + rapid.Int64Range(-50, 50).Draw(t, "by")*sec}
		}
		var msgs []msg
		for range rapid.IntRange(0, 4).Draw(t, "messages") {
			cut.Wall += rapid.Int64Range(0, 6*sec).Draw(t, "gap")
			payload := fmt.Sprintf(`{"value":%d.%d,"kind":%q,"ts":%d}`, rapid.IntRange(-60, 60).Draw(t, "value"), rapid.IntRange(0, 3).Draw(t, "tenths"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "kind"),
				cut.Wall/1e6+rapid.Int64Range(-30000, 90000).Draw(t, "skew"))
			switch rapid.IntRange(0, 12).Draw(t, "odd") {
			case 0:
				payload = "poison"
			case 1:
				payload = `{"kind":3}`
			}
			topic := fmt.Sprintf("site/%d/gpio/1", rapid.IntRange(1, 3).Draw(t, "device"))
			if rapid.IntRange(0, 8).Draw(t, "elsewhere") == 0 {
				topic = "other"
			}
			msgs = append(msgs, msg{topic, payload, cut.Wall})
		}
		cut.Wall += rapid.Int64Range(0, 3*sec).Draw(t, "rest")
		at[r] = cut
		if len(msgs) > 0 {
			b := blockOf(r, cut, msgs...)
			b.Trusted = rapid.IntRange(0, 9).Draw(t, "trusted") > 0
			log = append(log, edged.Entry{Block: b})
		}
		log = append(log, edged.Entry{Tick: &edged.Tick{Receivers: []edged.ReceiverTotal{{Receiver: r, Cut: cut}}}})
	}
	return log
}

// roughly runs a stream over a log in steps, with commits, checkpoints, restarts and kills anywhere.
func roughly(t *rapid.T, c *StreamConfig, p *Plan, log []edged.Entry) (*memStore, *Stream) {
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for _, e := range log {
		m.add(e)
		switch rapid.IntRange(0, 5).Draw(t, "then") {
		case 0:
			step(t, s)
		case 1:
			step(t, s)
			m.ride(s)
		case 2:
			step(t, s)
			if err := s.checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
		case 3:
			s = newStream(c, p, m)
			open(t, s)
		case 4:
			step(t, s)
			s = newStream(c, p, m)
			open(t, s)
		}
	}
	step(t, s)
	return m, s
}

func (m *memStore) add(e edged.Entry) {
	if e.Block != nil {
		b := *e.Block
		m.addBlock(&b)
		return
	}
	r := e.Tick.Receivers[0]
	m.addTick(r.Receiver, r.Cut)
}

func drawConfig(t *rapid.T) *StreamConfig {
	c := pinsConfig()
	c.Window = rapid.SampledFrom([]string{"tumbling 10s", "sliding 20s every 5s", "sliding 15s every 10s", "tumbling 3s", "session 3s", "session 20s", "count 1", "count 4", "running"}).Draw(t, "window")
	if !strings.HasPrefix(c.Window, "count") && rapid.Bool().Draw(t, "early") {
		c.EmitEvery = conf.Duration(rapid.SampledFrom([]time.Duration{time.Second, 2500 * time.Millisecond}).Draw(t, "emit every"))
	}
	if c.Window == "running" && rapid.Bool().Draw(t, "expires") {
		c.Expire = conf.Duration(rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second}).Draw(t, "expire"))
	}
	c.Aggregate = append(c.Aggregate, conf.Pair{Key: "rate", Value: "rate(value)"}, conf.Pair{Key: "p", Value: "p50(value)"}, conf.Pair{Key: "last", Value: "last(kind)"}, conf.Pair{Key: "sd", Value: "stddev(value)"})
	for i, text := range []string{
		"twa(value)", "integral(value)", "delta(value)", "increase(value)", "edges(value > 0)", "pulses(value > 0)", "duty(value > 0)", `time_in_state(kind, "x")`,
		"top_k(kind, 2)", "mode(value)", "collect(value, 5)", "histogram(value, -10, 0, 10)", "quantile(value, 0.9)", "variance(value)",
	} {
		if rapid.IntRange(0, 3).Draw(t, text) == 0 {
			c.Aggregate = append(c.Aggregate, conf.Pair{Key: fmt.Sprint("a", i), Value: text})
		}
	}
	if rapid.Bool().Draw(t, "event time") {
		c.Time = "ts"
		c.AllowedLateness = conf.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Second, time.Minute}).Draw(t, "lateness"))
		c.Idle = conf.Duration(rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "idle"))
	}
	c.MaxGroups = rapid.SampledFrom([]int{1, 100}).Draw(t, "max groups")
	drawMemory(t, c)
	return c
}

// drawMemory makes rows depend on those before them, with windows or without.
func drawMemory(t *rapid.T, c *StreamConfig) {
	if rapid.Bool().Draw(t, "fans") {
		c.FlatMap, c.Where = conf.Pairs{{Key: "part", Value: "[value, value + 1]"}}, "part > -40"
	}
	remembers := true
	switch rapid.IntRange(0, 6).Draw(t, "memory") {
	case 0:
		c.Changed = "kind"
	case 1:
		c.Changed, c.Deadband = "value", rapid.SampledFrom([]string{"20", "10%"}).Draw(t, "deadband")
	case 2:
		c.Throttle = conf.Duration(5 * time.Second)
	case 3:
		c.Sample = 3
	case 4:
		c.Select = conf.Pairs{{Key: "step", Value: "value - (lag(value) ?? 0)"}, {Key: "was", Value: "lag(kind)"}}
	case 5:
		c.Where, c.Changed, c.Throttle = "value != lag(value)", "value > 0", conf.Duration(time.Second)
	default:
		remembers = false
	}
	if remembers && rapid.Bool().Draw(t, "no window") {
		c.Window, c.EmitEvery, c.Expire, c.Aggregate = "", 0, 0, nil
	} else if rapid.Bool().Draw(t, "having") {
		c.Having = "n > 1"
	}
}

func open(t fataler, s *Stream) {
	if err := s.open(context.Background()); err != nil {
		t.Fatalf("open: %v", err)
	}
}

func step(t fataler, s *Stream) {
	if err := s.step(context.Background()); err != nil {
		t.Fatalf("step: %v", err)
	}
}

// outcome is what a stream gave, in order.
func outcome(t fataler, m *memStore) (out []string) {
	for _, stream := range []string{"pins", edged.DeadLetters} {
		for _, r := range m.results[stream] {
			rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
			if err != nil {
				t.Fatalf("%v", err)
			}
			for i := range rows.Len() {
				out = append(out, fmt.Sprint(stream, r.Cause, r.Watermark, rows.Names, rows.Row(i)))
			}
		}
	}
	return out
}

func TestResultsDependOnTheLogAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		p := mustPlan(t, c)
		log := drawLog(t)

		// Once: everything in one step.
		whole := newMemStore(p)
		s := newStream(c, p, whole)
		open(t, s)
		for _, e := range log {
			whole.add(e)
		}
		step(t, s)
		want, counts := outcome(t, whole), s.rec.Counts
		if c.Time == "arrival" && counts.Late > 0 {
			t.Fatalf("%d rows late on arrival time", counts.Late)
		}
		if s.Status(); !s.Status().Balanced || s.Status().Pending != 0 {
			t.Fatalf("the ledger does not balance: %+v", s.Status())
		}

		// Again: in steps, with commits, checkpoints and kills anywhere.
		m, s := roughly(t, c, p, log)
		if got := outcome(t, m); !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		if s.rec.Counts != counts {
			t.Fatalf("counts %+v, want %+v", s.rec.Counts, counts)
		}
	})
}

// Windows against a plain computation: every row is in the window that its arrival says, once.
func TestTumblingWindowsAgainstAPlainCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := pinsConfig()
		c.Where, c.GroupBy = "", conf.Pairs{{Key: "device", Value: "topic[1]"}}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		type key struct {
			epoch  uint32
			start  int64
			device string
		}
		want := map[key]float64{}
		for _, e := range drawLog(t) {
			m.add(e)
			if e.Block == nil {
				continue
			}
			for i := range e.Block.Len() {
				if e.Block.TopicOf(i) != "other" && e.Block.Payload(i)[0] == '{' {
					want[key{e.Block.Cut.Epoch, e.Block.Arrival[i] / (10 * sec) * 10 * sec, e.Block.TopicOf(i)[5:6]}]++
				}
			}
		}
		for _, r := range []string{"a", "b"} {
			m.addTick(r, edged.Instant{Epoch: 1 << 20})
		}
		step(t, s)
		got := map[key]float64{}
		for _, r := range m.results["pins"] {
			rows, _ := rowcodec.Decode(r.Data, r.Seq, r.Rows)
			for i := range rows.Len() {
				row := rows.Row(i)
				n, _ := row[3].Float()
				epoch, _ := row[6].Float()
				k := key{uint32(epoch), row[0].Nanos(), row[2].Str()}
				if _, twice := got[k]; twice {
					t.Fatalf("window %v left twice", k)
				}
				got[k] = n
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

func TestSlidingWindowsHoldWhatFallsIntoThem(t *testing.T) {
	c := pinsConfig()
	c.Window, c.GroupBy, c.From = "sliding 30s every 10s", nil, []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for _, at := range []int64{1005, 1012, 1031} {
		m.addBlock(blockOf("a", edged.Instant{Wall: at * sec}, msg{"site/1/gpio/1", `{"value":1}`, at * sec}))
	}
	m.addTick("a", edged.Instant{Wall: 2000 * sec})
	step(t, s)
	var got []string
	for _, r := range m.results["pins"] {
		rows, _ := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		for i := range rows.Len() {
			n, _ := rows.Row(i)[2].Float()
			got = append(got, fmt.Sprint(rows.Row(i)[0].Nanos()/sec, " ", n))
		}
	}
	want := []string{"980 1", "990 2", "1000 2", "1010 2", "1020 1", "1030 1"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestTheCommitterWritesTheTickThatAWindowWaitsFor(t *testing.T) {
	c := pinsConfig()
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	if _, ok := s.Waits(); ok {
		t.Fatal("it waits without an open window")
	}
	m.addBlock(blockOf("a", edged.Instant{Wall: 1003 * sec}, msg{"site/1/gpio/1", `{"value":1}`, 1002 * sec}))
	step(t, s)
	w, ok := s.Waits()
	if !ok || w.Until != (edged.Instant{Wall: 1010 * sec}) || !slices.Equal(w.Receivers, []string{"a", "b"}) {
		t.Fatalf("%+v %t", w, ok)
	}
	m.addTick("a", edged.Instant{Wall: 1010 * sec})
	if s.awaited() {
		t.Fatal("one receiver of two has reached the window's end")
	}
	m.addTick("b", edged.Instant{Wall: 1011 * sec})
	if !s.awaited() {
		t.Fatal("both have")
	}
	step(t, s)
	if len(m.results["pins"]) != 1 {
		t.Fatal("the window did not leave")
	}
}

func TestIdleEventTimeMovesOnWithArrival(t *testing.T) {
	c := pinsConfig()
	c.From, c.Time, c.AllowedLateness, c.Idle = []string{"a"}, "ts", conf.Duration(5*time.Second), conf.Duration(time.Minute)
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	m.addBlock(blockOf("a", edged.Instant{Wall: 5000 * sec}, msg{"site/1/gpio/1", `{"value":1,"ts":1007000}`, 5000 * sec}))
	step(t, s)
	// The watermark is 1002 s; the window ends at 1010 s: 60 s of silence, then 8 s at the pace of arrival.
	w, ok := s.Waits()
	if !ok || w.Until != (edged.Instant{Wall: 5068 * sec}) {
		t.Fatalf("%+v", w)
	}
	m.addTick("a", edged.Instant{Wall: 5067 * sec})
	step(t, s)
	if len(m.results["pins"]) != 0 {
		t.Fatal("left too early")
	}
	m.addTick("a", edged.Instant{Wall: 5068 * sec})
	step(t, s)
	if len(m.results["pins"]) != 1 {
		t.Fatal("did not leave")
	}
	m.addBlock(blockOf("a", edged.Instant{Wall: 5070 * sec}, msg{"site/1/gpio/1", `{"value":1,"ts":1009000}`, 5070 * sec}))
	step(t, s)
	if s.rec.Late != 1 {
		t.Fatalf("%+v", s.rec.Counts)
	}
}

func TestOneTimestampInTheFutureMovesNothing(t *testing.T) {
	c := pinsConfig()
	c.From, c.Time = []string{"a"}, "ts"
	p := mustPlan(t, c)
	for _, trusted := range []bool{true, false} {
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		b := blockOf("a", edged.Instant{Wall: 1000 * sec}, msg{"site/1/gpio/1", `{"value":1,"ts":9999999999}`, 1000 * sec}, msg{"site/1/gpio/1", `{"value":1,"ts":1000000}`, 1000 * sec})
		b.Trusted = trusted
		m.addBlock(b)
		step(t, s)
		want := Counts{Dead: 1, Applied: 1}
		if !trusted {
			want = Counts{Applied: 2, Produced: 1} // the clock may be wrong, not the sensor: nothing is judged
		}
		if s.rec.Counts != want {
			t.Errorf("trusted %t: %+v, want %+v", trusted, s.rec.Counts, want)
		}
	}
}

func TestDamagedEntriesAreCounted(t *testing.T) {
	c := pinsConfig()
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for i := range 3 {
		at := (1000 + int64(i)) * sec
		m.addBlock(blockOf("a", edged.Instant{Wall: at}, msg{"site/1/gpio/1", `{"value":1}`, at}, msg{"site/1/gpio/1", `{"value":2}`, at}))
	}
	m.addTick("a", edged.Instant{Wall: 2000 * sec})
	m.log[1] = edged.Entry{Seq: 2, Err: fmt.Errorf("flipped bit")}
	step(t, s)
	if s.rec.Damaged != 2 || s.rec.Applied != 4 || !s.Status().Balanced {
		t.Fatalf("%+v", s.Status())
	}
}

func TestANewStreamBeginsWhereItIsTold(t *testing.T) {
	for start, want := range map[string]uint64{"oldest": 2, "now": 1} {
		c := pinsConfig()
		c.From, c.Start, c.Window, c.GroupBy, c.Aggregate = []string{"a"}, start, "", nil, nil
		p := mustPlan(t, c)
		m := newMemStore(p)
		block := func(at int64) {
			m.addBlock(blockOf("a", edged.Instant{Wall: at * sec}, msg{"site/1/gpio/1", `{"value":1}`, at * sec}))
			m.addTick("a", edged.Instant{Wall: at * sec})
		}
		block(1000)
		s := newStream(c, p, m)
		open(t, s)
		block(1001)
		step(t, s)
		if st := s.Status(); st.Applied != want || !st.Balanced || st.Pending != 0 || st.Routed != want {
			t.Errorf("%s: %+v", start, st)
		}
	}
}

func TestAChangedDefinition(t *testing.T) {
	c := pinsConfig()
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	send := func(at int64) {
		m.addBlock(blockOf("a", edged.Instant{Wall: at * sec}, msg{"site/1/gpio/1", `{"value":4}`, at * sec}))
		m.addTick("a", edged.Instant{Wall: at * sec})
	}
	send(1001)
	send(1002)
	step(t, s)
	m.ride(s)

	changed := pinsConfig()
	changed.From = []string{"a"}
	changed.Aggregate = conf.Pairs{{Key: "total", Value: "sum(value)"}}
	cp := mustPlan(t, changed)
	m.router = NewRouter([]*Plan{cp})
	send(1003) // stored before the restart, read after it
	s = newStream(changed, cp, m)
	open(t, s)
	send(1004)
	send(1012)
	step(t, s)
	var got []string
	for _, r := range m.results["pins"] {
		rows, _ := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		for i := range rows.Len() {
			got = append(got, fmt.Sprint(rows.Names[4:], rows.Row(i)[4:]))
		}
	}
	want := []string{
		fmt.Sprint([]string{"n", "mean", "max", "epoch", "clock_trusted", "partial"}, []edged.Value{edged.NumberValue(2), edged.NumberValue(4), edged.NumberValue(4), {}, {}, edged.BoolValue(true)}),
		fmt.Sprint([]string{"total", "epoch", "clock_trusted", "partial"}, []edged.Value{edged.NumberValue(8), {}, {}, {}}),
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
	if st := s.Status(); !st.Balanced || st.Routed != 5 {
		t.Fatalf("%+v", st)
	}
	again := newStream(changed, cp, m)
	open(t, again)
	step(t, again)
	if len(m.results["pins"]) != 2 {
		t.Fatal("the change was made twice")
	}
}

// A delivery that lags behind a change reads what was there before it as it was defined then: the ledger and the bytes
// under a key do not change.
func TestALaggingDeliveryReadsTheOldDefinition(t *testing.T) {
	raw := func(where string, sel conf.Pairs) *StreamConfig {
		c := pinsConfig()
		c.From, c.Window, c.GroupBy, c.Aggregate, c.Where, c.Select = []string{"a"}, "", nil, nil, where, sel
		return c
	}
	windowed := pinsConfig()
	windowed.From = []string{"a"}
	configs := []*StreamConfig{raw("value > 0", nil), raw("", conf.Pairs{{Key: "twice", Value: "value * 2"}}), windowed, raw("", nil)}
	m := newMemStore()
	var s *Stream
	value := 0
	for _, c := range configs {
		p := mustPlan(t, c)
		m.router = NewRouter([]*Plan{p})
		s = newStream(c, p, m)
		open(t, s)
		for range 2 {
			value++
			at := (1000 + 20*int64(value)) * sec
			m.addBlock(blockOf("a", edged.Instant{Wall: at}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":%d}`, value), at}, msg{"site/1/gpio/1", `{"value":-1}`, at}))
			m.addTick("a", edged.Instant{Wall: at})
		}
		step(t, s)
		m.ride(s)
	}
	f := s.Feed()
	var got []string
	at, err := f.Oldest()
	if err != nil {
		t.Fatal(err)
	}
	for at != f.End() {
		r, err := f.Read(at, edged.Place{}, edged.Limits{Rows: 1, Bytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Feed().Read(r.From, r.To, edged.Limits{Rows: 100, Bytes: 1 << 20})
		if err != nil || !slices.Equal(again.Rows.Cells, r.Rows.Cells) {
			t.Fatalf("the same range gives %v and then %v (%v)", r.Rows.Cells, again.Rows.Cells, err)
		}
		for i := range r.Rows.Len() {
			got = append(got, fmt.Sprint(r.Rows.Names[2], "=", r.Rows.Row(i)[2]))
		}
		if r.To == at {
			t.Fatalf("it stands still at %v", at)
		}
		at = r.To
	}
	if f.Produced() != uint64(len(got)) {
		t.Errorf("%d produced, %d read", f.Produced(), len(got))
	}
	if len(got) != 2+4+2+4 {
		t.Errorf("read %v", got)
	}
}

func TestConfigurationMistakes(t *testing.T) {
	doc := conf.Parse("f", []byte(`
[stream.pins]
from = ["field"]
topics = ["site/+", "a#"]
decode = "jsn"
sinks = ["x"]
[stream.two]
from = ["field"]
topics = ["site/#"]
where = "value >"
group_by = { device = "topic[1]", time = "topic[2]" }
window = "tumblin 10s"
aggregate = { n = "count()", mean = "avrage(value)", m = "max" }
idle = "1m"
sinks = ["x"]
[stream.three]
from = ["field"]
topics = ["site/#"]
decode = "number"
where = "temp > 3"
aggregate = { n = "count()" }
sinks = []
`))
	root := doc.Root()
	for _, name := range []string{"pins", "two", "three"} {
		if _, p := LoadStream(root.Sub("stream").Sub(name), nil, false); p != nil {
			t.Errorf("%s compiled", name)
		}
	}
	want := []string{
		`f:4: topics: "a#": # must be a level of its own [MQTT-4.7.1-1]`,
		`f:5: stream pins, decode: unknown decoder "jsn"; did you mean "json"?`,
		`f:10: stream two, where: unexpected token EOF (at character 7)`,
		`f:11: stream two, group_by.time: "time" is a name of the gateway's own; choose another`,
		`f:12: stream two, window: "tumblin 10s" is not a window; write "tumbling 10s", "sliding 1m every 10s", "session 5m", "count 100", "batch" or "running"; did you mean "tumbling"?`,
		`f:13: stream two, aggregate.mean: unknown aggregate "avrage"`,
		`f:13: stream two, aggregate.m: "max" is not an aggregate; write a function of a column, such as "avg(value)"`,
		`f:14: idle is for a stream with a time field; this one has time = "arrival", by which no row is late`,
		`f:20: stream three, where: there is no column "temp": payloads of this kind have only the column "value"`,
		`f:21: stream three, aggregate: it needs a window, such as window = "tumbling 10s"`,
		`f:22: [stream.three] needs sinks, where its rows go`,
	}
	var got []string
	for _, p := range doc.Problems() {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("line %d:\n got  %v\n want %v", i, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
			}
		}
	}
}

func TestDefinitionsCompileAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		p := mustPlan(t, c)
		again, err := CompileDefinition(c.Name, p.Definition)
		if err != nil || again.Definition != p.Definition || again.Hash != p.Hash {
			t.Fatalf("%v\n%s\n%s", err, p.Definition, again.Definition)
		}
	})
}

// A window that has ended without a row does not begin again for a late one, whatever other groups have had in it.
func TestAnEmptyWindowThatHasEndedStaysSo(t *testing.T) {
	for _, other := range []bool{false, true} {
		c := pinsConfig()
		c.From, c.Window, c.Time, c.AllowedLateness, c.Idle, c.Where = []string{"a"}, "sliding 20s every 10s", "ts", 0, 0, ""
		c.GroupBy, c.Aggregate = conf.Pairs{{Key: "device", Value: "topic[1]"}}, conf.Pairs{{Key: "n", Value: "count()"}}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		at := func(device, ts int) {
			m.addBlock(blockOf("a", edged.Instant{Wall: 2000 * sec}, msg{fmt.Sprintf("site/%d/gpio/1", device), fmt.Sprintf(`{"ts":%d}`, ts*1000), 1999 * sec}))
		}
		if other {
			at(2, 985)
		}
		for _, ts := range []int{1000, 995, 1100} {
			at(1, ts)
		}
		step(t, s)
		for _, row := range outcome(t, m) {
			if strings.Contains(row, "{4 980000000000 } {4 1000000000000 } {5 0 1}") {
				t.Errorf("with another group %v: %s", other, row)
			}
		}
	}
}

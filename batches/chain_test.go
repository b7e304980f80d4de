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

// chained is a row of streams over one log, each of which takes from the one before.
type chained struct {
	t       fataler
	m       *memStore
	configs []*StreamConfig
	streams []*Stream

	redefined bool // the first stage was something else before
}

func newChained(t fataler, configs ...*StreamConfig) *chained {
	c := &chained{t: t, configs: configs}
	var plans []*Plan
	for _, of := range configs {
		plans = append(plans, mustPlan(t, of))
	}
	c.m = newMemStore(plans...)
	c.m.gives = map[string]*Stream{}
	for i := range configs {
		c.streams = append(c.streams, nil)
		c.start(i)
	}
	return c
}

// start starts a stage, which may have been running: that is a kill.
func (c *chained) start(i int) {
	last := i == len(c.configs)-1
	s := New(Options{
		Config: c.configs[i], Plan: mustPlan(c.t, c.configs[i]), Store: c.m, Log: slog.New(slog.DiscardHandler), Interval: time.Second, Checkpoint: time.Hour,
		Chained: !last, Unread: len(c.configs[i].Sinks) == 0,
	})
	if c.streams[i] = s; !last {
		c.m.gives[s.Name()] = s
	}
	open(c.t, s)
}

// settle has everything happen that time brings: each stream reads what there is, and ticks say how far they are.
func (c *chained) settle() {
	for range 2*len(c.streams) + 1 {
		for _, s := range c.streams {
			step(c.t, s)
		}
		c.m.addTick("a", edged.Instant{})
	}
	for _, s := range c.streams {
		step(c.t, s)
	}
}

// end has the receivers come to the end of all times.
func (c *chained) end() {
	for _, r := range []string{"a", "b"} {
		c.m.addTick(r, edged.Instant{Epoch: 1 << 20})
	}
	c.settle()
}

// final are the results of a stage that are not revised, in order.
func (c *chained) final(i int) (out []string) {
	for _, r := range c.m.results[c.configs[i].Name] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil {
			c.t.Fatalf("%v", err)
		}
		for k := range rows.Len() {
			out = append(out, fmt.Sprint(rows.Names, rows.Row(k)))
		}
	}
	return out
}

// given is what a stage gave to the next one: blocks with their bounds.
func (c *chained) given(i int) (out []string) {
	for _, e := range c.m.log {
		if b := e.Block; b != nil && b.Receiver == c.configs[i].Name {
			text := fmt.Sprint(b.Cut.Epoch, b.Trusted)
			for k := range b.Len() {
				text += fmt.Sprintf("\n%d %s %s", b.Arrival[k], b.TopicOf(k), b.Payload(k))
			}
			out = append(out, text)
		}
	}
	return out
}

// check holds the log against the promise of cuts, and the streams against their ledgers.
func (c *chained) check() {
	c.t.(interface{ Helper() }).Helper()
	cuts := map[string]edged.Instant{}
	for _, e := range c.m.log {
		if e.Tick != nil {
			for _, r := range e.Tick.Receivers {
				if r.Cut.Before(cuts[r.Receiver]) {
					c.t.Fatalf("entry %d: the cut of %s goes back from %v to %v", e.Seq, r.Receiver, cuts[r.Receiver], r.Cut)
				}
				cuts[r.Receiver] = r.Cut
			}
			continue
		}
		b := e.Block
		for i, at := range b.Arrival {
			if a := (edged.Instant{Epoch: b.Cut.Epoch, Wall: at}); a.Before(cuts[b.Receiver]) || i > 0 && at < b.Arrival[i-1] {
				c.t.Fatalf("entry %d: %s of %s arrives at %v, behind its cut %v or the row before", e.Seq, b.Payload(i), b.Receiver, a, cuts[b.Receiver])
			}
		}
		cuts[b.Receiver] = later(cuts[b.Receiver], b.Cut)
	}
	for i, s := range c.streams {
		if st := s.Status(); !st.Balanced || st.Pending != 0 || st.Damaged != 0 {
			c.t.Fatalf("%s does not balance: %+v", s.Name(), st)
		}
		if was := c.redefined && i == 0; c.configs[i].Time == "arrival" && s.rec.Late > 0 && !was {
			c.t.Fatalf("%s: %d rows late on arrival time", s.Name(), s.rec.Late)
		}
	}
}

// drawStage makes a stage that takes the columns n and value of the one before.
func drawStage(t *rapid.T, i int, timed bool) *StreamConfig {
	c := DefaultStream()
	c.Name, c.From, c.Sinks = fmt.Sprint("s", i), []string{fmt.Sprint("s", i-1)}, []string{"x"}
	kinds := []string{"tumbling 10s", "sliding 20s every 5s", "session 3s", "session 20s", "count 1", "count 3", "running", "passing", ""}
	if timed {
		kinds = kinds[:3]
	}
	c.Window = rapid.SampledFrom(kinds).Draw(t, "window")
	c.GroupBy = conf.Pairs{{Key: "device", Value: "device"}}
	c.Aggregate = conf.Pairs{{Key: "n", Value: "sum(n)"}, {Key: "value", Value: "max(value)"}, {Key: "rows", Value: "count()"}, {Key: "was", Value: "last(value)"}}
	switch c.Window {
	case "":
		c.GroupBy, c.Aggregate = nil, nil
		c.Select = conf.Pairs{{Key: "device", Value: "device"}, {Key: "n", Value: "n"}, {Key: "value", Value: "value"}}
	case "passing":
		c.Window, c.Aggregate, c.Changed = "", nil, "value"
		c.Select = conf.Pairs{{Key: "n", Value: "n"}, {Key: "value", Value: "value"}}
	default:
		if c.Window != "running" && !strings.HasPrefix(c.Window, "count") && rapid.Bool().Draw(t, "early") {
			c.EmitEvery = conf.Duration(2500 * time.Millisecond)
		}
		if rapid.IntRange(0, 3).Draw(t, "having") == 0 {
			c.Having = "n > 1"
		}
	}
	if i > 0 && rapid.IntRange(0, 2).Draw(t, "unread") == 0 {
		c.Sinks = nil
	}
	return c
}

// drawChain makes two or three stages over the log of drawLog.
func drawChain(t *rapid.T) (configs []*StreamConfig) {
	n := rapid.IntRange(2, 3).Draw(t, "stages")
	timed := rapid.IntRange(0, 3).Draw(t, "event time") == 0
	for i := range n {
		c := drawStage(t, i, timed && i == 0)
		if i == 0 {
			c.From, c.Topics = rapid.SampledFrom([][]string{{"a", "b"}, {"a"}}).Draw(t, "from"), []string{"site/+/gpio/+"}
			c.Where = "value > -40"
			rename := func(pairs conf.Pairs) {
				for k := range pairs {
					pairs[k].Value = strings.NewReplacer("device", "topic[1]", "sum(n)", "count()").Replace(pairs[k].Value)
					if pairs[k].Value == "n" {
						pairs[k].Value = "1"
					}
				}
			}
			rename(c.GroupBy)
			rename(c.Select)
			rename(c.Aggregate)
			if timed {
				c.Time, c.Idle, c.AllowedLateness = "ts", 0, conf.Duration(rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "lateness"))
			}
		}
		if i > 0 && configs[i-1].Window != "" && rapid.IntRange(0, 3).Draw(t, "by its end") == 0 {
			c.Time, c.Idle, c.AllowedLateness = "window_end", 0, conf.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "lateness"))
		}
		if i == 0 || c.Time == "arrival" && !slices.ContainsFunc(configs, func(c *StreamConfig) bool { return c.Time != "arrival" }) {
			drawJoined(t, c)
		}
		configs = append(configs, c)
	}
	configs[n-1].Sinks = []string{"x"}
	return configs
}

// drawJoined has a stage that does not take from receiver b join its messages of the same value, sometimes.
func drawJoined(t *rapid.T, c *StreamConfig) {
	if slices.Contains(c.From, "b") || c.Window == "running" || rapid.IntRange(0, 2).Draw(t, "joined") > 0 {
		return
	}
	c.Join, c.On, c.JoinTopics = conf.Pairs{{Key: "d", Value: "b"}}, conf.Pairs{{Key: "kind", Value: `value > 0 ? "x" : "y"`}}, []string{"site/#"}
	c.Within, c.Outer = conf.Duration(rapid.IntRange(1, 8).Draw(t, "within"))*conf.Duration(time.Second), rapid.Bool().Draw(t, "outer")
	if c.Window == "" {
		c.Select = append(c.Select, conf.Pair{Key: "theirs", Value: "d.value"})
	}
}

// The final results of each stage, and the blocks between them, are the same whatever the steps, wherever ticks lie, and over kills.
func TestChainsDependOnTheLogAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		configs := drawChain(t)
		log := drawLog(t)
		whole := newChained(t, configs...)
		for _, e := range log {
			whole.m.add(e)
		}
		whole.settle()
		whole.end()
		whole.check()

		c := newChained(t, configs...)
		for _, e := range log {
			if e.Tick != nil && rapid.Bool().Draw(t, "another tick says it") {
				r := e.Tick.Receivers[0]
				c.m.cuts[r.Receiver] = later(c.m.cuts[r.Receiver], r.Cut)
			} else {
				c.m.add(e)
			}
			for i, s := range c.streams {
				switch rapid.IntRange(0, 7).Draw(t, "then") {
				case 0, 1:
					step(t, s)
				case 2:
					step(t, s)
					c.m.ride(s)
				case 3:
					step(t, s)
					if err := s.checkpoint(context.Background()); err != nil {
						t.Fatal(err)
					}
				case 4:
					c.start(i)
				case 5:
					step(t, s)
					c.start(i)
				}
			}
		}
		c.settle()
		c.end()
		c.check()
		for i := range configs {
			if configs[i].EmitEvery == 0 && !slices.Equal(c.final(i), whole.final(i)) {
				t.Fatalf("stage %d:\ngot  %v\nwant %v", i, c.final(i), whole.final(i))
			}
			if !slices.Equal(c.given(i), whole.given(i)) {
				t.Fatalf("stage %d gave:\ngot  %v\nwant %v", i, strings.Join(c.given(i), "\n\n"), strings.Join(whole.given(i), "\n\n"))
			}
			if len(configs[i].Sinks) == 0 && len(c.final(i)) > 0 {
				t.Fatalf("stage %d keeps results for nobody", i)
			}
		}
	})
}

// sums are n and total by epoch, window and device of a stage with windows.
func (c *chained) sums(i int) map[string]string {
	out := map[string]string{}
	for _, r := range c.m.results[c.configs[i].Name] {
		rows, _ := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		for k := range rows.Len() {
			row := rows.Row(k)
			key := fmt.Sprint(row[0].Nanos()/sec, row[2], row[5])
			if out[key] != "" {
				c.t.Fatalf("window %s leaves twice", key)
			}
			out[key] = fmt.Sprint(row[3:5])
		}
	}
	return out
}

// Minutes of seconds, of single rows and of messages are the minutes of the messages themselves.
func TestMinutesOfSecondsAreMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minute := func(name, from, device, n, total string) *StreamConfig {
			c := DefaultStream()
			c.Name, c.From, c.Topics, c.Sinks = name, []string{from}, nil, []string{"x"}
			c.GroupBy = conf.Pairs{{Key: "device", Value: device}}
			c.Window, c.Aggregate = "tumbling 1m", conf.Pairs{{Key: "n", Value: n}, {Key: "total", Value: total}}
			return c
		}
		first := minute("first", "a", "topic[1]", "count()", "sum(value * 10)")
		first.Topics = []string{"site/+/gpio/+"}
		direct := *first
		direct.Name = "direct"
		var second *StreamConfig
		switch first.Window = rapid.SampledFrom([]string{"tumbling 1s", "sliding 4s every 4s", "count 1", ""}).Draw(t, "window"); first.Window {
		case "":
			first.GroupBy, first.Aggregate = nil, nil
			second = minute("second", "first", "topic[1]", "count()", "sum(payload.payload.value * 10)")
		default:
			second = minute("second", "first", "device", "sum(n)", "sum(total)")
		}
		log := drawLog(t)
		run := func(configs ...*StreamConfig) map[string]string {
			c := newChained(t, configs...)
			for _, e := range log {
				c.m.add(e)
				if rapid.Bool().Draw(t, "step") {
					step(t, c.streams[rapid.IntRange(0, len(configs)-1).Draw(t, "stage")])
				}
			}
			c.end()
			c.check()
			return c.sums(len(configs) - 1)
		}
		got, want := run(first, second), run(&direct)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s:\ngot  %v\nwant %v", first.Window, got, want)
		}
	})
}

// Whatever a stream becomes, no row arrives before a cut that was given: not after another window, another receiver or another clock.
func TestAChangedDefinitionKeepsItsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		second := drawStage(t, 1, false)
		second.Sinks = []string{"x"}
		draw := func() *StreamConfig {
			c := drawChain(t)[0]
			if c.Joined() == "" {
				c.From = rapid.SampledFrom([][]string{{"a", "b"}, {"a"}, {"b"}}).Draw(t, "from")
			}
			return c
		}
		c := newChained(t, draw(), second)
		for _, e := range drawLog(t) {
			c.m.add(e)
			switch rapid.IntRange(0, 4).Draw(t, "then") {
			case 0:
				step(t, c.streams[0])
				c.m.ride(c.streams[0])
			case 1:
				step(t, c.streams[1])
			case 2:
				if e.Tick == nil { // the totals of what was routed before must be known
					continue
				}
				c.configs[0], c.redefined = draw(), true
				c.m.router = NewRouter([]*Plan{mustPlan(t, c.configs[0]), mustPlan(t, second)})
				c.start(0)
			}
		}
		c.settle()
		c.end()
		c.check()
	})
}

// A row goes on as its file would have it, under its stream's name or its own topic; of a window only what is final, of a running group each.
func TestWhatAChainPassesOn(t *testing.T) {
	base := func() *StreamConfig {
		c := DefaultStream()
		c.Name, c.From, c.Topics, c.Sinks = "up", []string{"a"}, []string{"site/#"}, []string{"x"}
		return c
	}
	down := base()
	down.Name, down.From, down.Topics = "down", []string{"up"}, nil
	for name, c := range map[string]struct {
		change func(*StreamConfig)
		want   []string // time in s, topic, payload
	}{
		"stateless": {func(*StreamConfig) {}, []string{
			`1001 site/1 {"stream":"up","time":"1970-01-01T00:16:41Z","topic":"site/1","payload":{"value":1,"ts":5000}}`,
			`1002 site/2 {"stream":"up","time":"1970-01-01T00:16:42Z","topic":"site/2","payload":{"value":2,"ts":5000}}`,
			`1012 site/1 {"stream":"up","time":"1970-01-01T00:16:52Z","topic":"site/1","payload":{"value":3,"ts":5000}}`,
		}},
		"by a field": {func(c *StreamConfig) { // the row's time is not its arrival
			c.Time, c.Where = "ts", "value == 2"
			c.Select = conf.Pairs{{Key: "v", Value: "value"}}
		}, []string{`1002 site/2 {"stream":"up","time":"1970-01-01T00:00:05Z","topic":"site/2","v":2}`}},
		"remembering": {func(c *StreamConfig) {
			c.Select, c.Changed = conf.Pairs{{Key: "odd", Value: "value != 2"}}, "value > 1"
		}, []string{
			`1001 site/1 {"stream":"up","time":"1970-01-01T00:16:41Z","topic":"site/1","odd":true}`,
			`1002 site/2 {"stream":"up","time":"1970-01-01T00:16:42Z","topic":"site/2","odd":false}`,
			`1012 site/1 {"stream":"up","time":"1970-01-01T00:16:52Z","topic":"site/1","odd":true}`,
		}},
		"final": {func(c *StreamConfig) {
			c.Window, c.Aggregate, c.EmitEvery, c.Having = "tumbling 10s", conf.Pairs{{Key: "n", Value: "count()"}}, conf.Duration(time.Second), "n > 1"
		}, []string{
			`1009.999999999 up {"stream":"up","window_start":"1970-01-01T00:16:40Z","window_end":"1970-01-01T00:16:50Z","n":2}`,
		}},
		"running": {func(c *StreamConfig) {
			c.Window, c.Aggregate = "running", conf.Pairs{{Key: "n", Value: "count()"}}
		}, []string{
			`1002 up {"stream":"up","window_start":"1970-01-01T00:16:41Z","window_end":"1970-01-01T00:16:42.000000001Z","n":2}`,
			`1012 up {"stream":"up","window_start":"1970-01-01T00:16:41Z","window_end":"1970-01-01T00:16:52.000000001Z","n":3}`,
		}},
	} {
		up := base()
		c.change(up)
		ch := newChained(t, up, down)
		ch.m.addBlock(blockOf("a", edged.Instant{Wall: 1003 * sec}, msg{"site/1", `{"value":1,"ts":5000}`, 1001 * sec}, msg{"site/2", `{"value":2,"ts":5000}`, 1002 * sec}))
		ch.m.addTick("a", edged.Instant{Wall: 1006 * sec})
		ch.m.addBlock(blockOf("a", edged.Instant{Wall: 1013 * sec}, msg{"site/1", `{"value":3,"ts":5000}`, 1012 * sec}))
		ch.settle()
		ch.end()
		var got []string
		for _, e := range ch.m.log {
			if b := e.Block; b != nil && b.Receiver == "up" {
				for i := range b.Len() {
					got = append(got, fmt.Sprintf("%v %s %s", float64(b.Arrival[i]/1e9)+float64(b.Arrival[i]%1e9)/1e9, b.TopicOf(i), b.Payload(i)))
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
		if st := ch.streams[1].Status(); st.Routed != uint64(len(c.want)) || !st.Balanced {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// A delivery that was there finds the rows of the time in which its sink was not configured.
func TestRowsAreKeptForASinkThatIsAway(t *testing.T) {
	up := pinsConfig()
	up.Name, up.From, up.Where, up.Sinks = "s0", []string{"a"}, "", nil
	down := drawnDown()
	for _, known := range []bool{false, true} {
		c := newChained(t, up, down)
		if known {
			c.m.cursors[edged.DeliveryCursor("s0", "x")] = edged.Cursor{Name: edged.DeliveryCursor("s0", "x"), Log: "s0", Need: edged.SpansFrom(1)}
		}
		c.start(0)
		c.m.addBlock(blockOf("a", edged.Instant{Wall: 1003 * sec}, msg{"site/1/gpio/1", `{"value":1,"kind":"x"}`, 1001 * sec}))
		c.end()
		if kept := len(c.final(0)) > 0; kept != known || len(c.given(0)) != 1 {
			t.Errorf("a delivery is known: %v; rows are kept: %v, given %v", known, kept, c.given(0))
		}
	}
}

func drawnDown() *StreamConfig {
	c := DefaultStream()
	c.Name, c.From, c.Sinks = "s1", []string{"s0"}, []string{"x"}
	c.Window, c.Aggregate = "tumbling 10s", conf.Pairs{{Key: "n", Value: "sum(n)"}}
	return c
}

// With nothing more coming in, a downstream window waits for its upstream, and that for its receivers; each step is asked for once, also after kills.
func TestADownstreamWindowClosesAfterSilence(t *testing.T) {
	for _, window := range []string{"tumbling 1s", "", "session 1s", "count 1"} {
		for _, killed := range []bool{false, true} {
			up := pinsConfig()
			up.Name, up.From, up.Where, up.Window = "s0", []string{"a"}, "", window
			if up.GroupBy = nil; window == "" {
				up.Aggregate = nil
			}
			c := newChained(t, up, drawnDown())
			c.m.addBlock(blockOf("a", edged.Instant{Wall: 1003 * sec}, msg{"site/1/gpio/1", `{"value":1}`, 1001 * sec}))
			c.m.addTick("a", edged.Instant{Wall: 1004 * sec})
			c.settle()
			restart := func() {
				if killed {
					for i := range c.streams {
						c.start(i)
						step(t, c.streams[i])
					}
				}
			}
			restart()
			w, ok := c.streams[1].Waits()
			if want := (edged.Instant{Wall: 1010 * sec}); !ok || w.Until != want || !slices.Equal(w.Receivers, []string{"s0"}) {
				t.Fatalf("%q: it waits for %v (%v)", window, w, ok)
			}
			before, ok := c.streams[0].Reach(w.Until)
			if want := (edged.Instant{Wall: 1010 * sec}); !ok || before.Until != want || !slices.Equal(before.Receivers, []string{"a"}) {
				t.Fatalf("%q: for which its upstream must reach %v (%v)", window, before, ok)
			}
			c.m.addTick("a", edged.Instant{Wall: 1010 * sec})
			if !c.streams[0].isWanted() {
				t.Fatalf("%q: the upstream does not hurry", window)
			}
			step(t, c.streams[0])
			if c.streams[0].isWanted() {
				t.Fatalf("%q: it hurries on", window)
			}
			restart()
			if _, at, _ := c.streams[0].Gives(); at.Before(w.Until) {
				t.Fatalf("%q, killed %v: the upstream's cut is %v", window, killed, at)
			}
			if len(c.final(1)) != 0 {
				t.Fatalf("%q: the window has left too early", window)
			}
			c.m.addTick("a", edged.Instant{})
			step(t, c.streams[1])
			if len(c.final(1)) != 1 {
				t.Fatalf("%q, killed %v: the window has not left", window, killed)
			}
		}
	}
}

// A block of a chain is no larger than a receiver's, and its parts keep the order of arrival.
func TestBlocksOfAChainAreBounded(t *testing.T) {
	c := DefaultStream()
	c.Name, c.From, c.Topics, c.Sinks, c.Select = "up", []string{"a"}, []string{"#"}, []string{"x"}, conf.Pairs{{Key: "text", Value: "value"}}
	down := *c
	down.Name, down.From, down.Topics = "down", []string{"up"}, nil
	for name, text := range map[string]string{"many": "", "large": strings.Repeat("x", 300<<10)} {
		n := 70000
		if text != "" {
			n = 12
		}
		var msgs []msg
		for i := range n {
			msgs = append(msgs, msg{"t", fmt.Sprintf("{\"value\":%q}", text), 1000*sec + int64(i)})
		}
		ch := newChained(t, c, &down)
		ch.m.addBlock(blockOf("a", edged.Instant{Wall: 1001 * sec}, msgs...))
		ch.settle()
		ch.check()
		rows, blocks := 0, 0
		for _, e := range ch.m.log {
			if b := e.Block; b != nil && b.Receiver == "up" {
				rows, blocks = rows+b.Len(), blocks+1
				if b.Len() > chainMessages || len(b.Data) > chainBytes+400<<10 {
					t.Errorf("%s: a block has %d rows and %d bytes", name, b.Len(), len(b.Data))
				}
			}
		}
		if rows != n || blocks < 2 {
			t.Errorf("%s: %d rows in %d blocks", name, rows, blocks)
		}
	}
}

// On event time, what the upstream must reach is the arrival time at which its own would have gone on without a row.
func TestADatedChainGoesOnAfterIdle(t *testing.T) {
	up := pinsConfig()
	up.Name, up.From, up.Where, up.Window, up.GroupBy = "s0", []string{"a"}, "", "tumbling 1s", nil
	up.Time, up.AllowedLateness, up.Idle = "ts", 0, conf.Duration(time.Minute)
	c := newChained(t, up, drawnDown())
	c.m.addBlock(blockOf("a", edged.Instant{Epoch: 3, Wall: 5000 * sec}, msg{"site/1/gpio/1", `{"value":1,"ts":1001000}`, 5000 * sec}))
	tick := func(at int64) {
		c.m.addTick("a", edged.Instant{Epoch: 3, Wall: at * sec})
		c.settle()
	}
	tick(5061) // its window ends at 1002 s: 1 s after it is idle
	if given := c.given(0); len(given) != 1 || !strings.HasPrefix(given[0], "0 true\n1001999999999 s0 ") {
		t.Fatalf("given: %v", given)
	}
	w, _ := c.streams[1].Waits()
	before, ok := c.streams[0].Reach(w.Until)
	if want := (edged.Instant{Epoch: 3, Wall: 5069 * sec}); !ok || before.Until != want {
		t.Fatalf("to come to %v it must reach %v (%v), want %v", w.Until, before.Until, ok, want)
	}
	tick(5068)
	if len(c.final(1)) != 0 {
		t.Fatal("left too early")
	}
	tick(5069)
	if len(c.final(1)) != 1 {
		t.Fatal("has not left")
	}
	c.check()
}

// A stream on event time that has had no row yet holds nobody's windows open for ever: after the idle time it says how far it has come, and keeps to that.
func TestAStreamWithoutARowSaysHowFarItIs(t *testing.T) {
	up := pinsConfig()
	up.Name, up.From, up.Where, up.Window, up.GroupBy = "s0", []string{"a"}, "", "tumbling 1s", nil
	up.Time, up.AllowedLateness, up.Idle = "ts", conf.Duration(5*time.Second), conf.Duration(time.Minute)
	c := newChained(t, up, drawnDown())
	cut := func(at int64) edged.Instant {
		c.m.addTick("a", edged.Instant{Wall: at * sec})
		c.settle()
		_, given, _ := c.streams[0].Gives()
		return given
	}
	if at := cut(5000); !at.IsZero() {
		t.Errorf("it says %v at once", at)
	}
	if at := cut(5060); !at.IsZero() {
		t.Errorf("it says %v before it is idle", at)
	}
	c.start(0)
	step(t, c.streams[0])
	before, ok := c.streams[0].Reach(edged.Instant{Wall: 4996 * sec})
	if want := (edged.Instant{Wall: 5061 * sec}); !ok || before.Until != want {
		t.Errorf("to come to 4996 s it must reach %v (%v), want %v", before.Until, ok, want)
	}
	if at, want := cut(5061), (edged.Instant{Wall: 4996 * sec}); at != want {
		t.Errorf("it says %v, want %v", at, want)
	}
	c.m.addBlock(blockOf("a", edged.Instant{Wall: 5070 * sec}, msg{"site/1/gpio/1", `{"value":1,"ts":1001000}`, 5070 * sec}))
	c.settle()
	cut(5140) // its window ends when it was silent again
	if given := c.given(0); len(given) != 1 || !strings.HasPrefix(given[0], fmt.Sprintf("0 true\n%d s0 ", 4996*sec)) {
		t.Errorf("its first row, which is older, does not arrive there: %v", given)
	}
	c.check()
}

// A stream does not hold the blocks that it gave itself, which are behind what it has yet to take: not after a restart either.
func TestAChainedStreamLetsGoOfItsOwnBlocks(t *testing.T) {
	up := pinsConfig()
	up.Name, up.From, up.Where, up.Window, up.GroupBy, up.Aggregate = "s0", []string{"a"}, "", "", nil, nil
	c := newChained(t, up, drawnDown())
	check := func(want int) {
		t.Helper()
		c.m.ride(c.streams[0])
		need, own := c.m.cursors[edged.StreamCursor("s0")].Need, 0
		for _, e := range c.m.log {
			at, ok := need.Next(e.Seq)
			is := e.Block != nil && e.Block.Receiver == "s0"
			if held := ok && at == e.Seq; is && held || !is && !held && e.Seq >= c.streams[0].rec.applied {
				t.Errorf("entry %d, of its own %v, is held %v by %v", e.Seq, is, held, need)
			}
			if is {
				own++
			}
		}
		if own != want {
			t.Errorf("it gave %d blocks, want %d", own, want)
		}
	}
	give := func(at int64) {
		c.m.addBlock(blockOf("a", edged.Instant{Wall: at * sec}, msg{"site/1/gpio/1", `{"value":1}`, at * sec}))
	}
	give(1001)
	step(t, c.streams[0])
	check(1)
	c.start(0)
	check(1)
	give(1002)
	give(1003)
	step(t, c.streams[0])
	check(3)
	c.start(0)
	c.settle()
	check(3)
	c.end()
	c.check()
}

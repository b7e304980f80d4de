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
		if c.configs[i].Time == "arrival" && s.rec.Late > 0 {
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
			c.From, c.Topics = []string{"a", "b"}, []string{"site/+/gpio/+"}
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
		configs = append(configs, c)
	}
	configs[n-1].Sinks = []string{"x"}
	return configs
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

package batches

import (
	"slices"
	"strings"
	"testing"
	"time"

	"edged/internal/conf"

	"pgregory.net/rapid"
)

// What a stream with a join gives to another one keeps the promise of its cuts, and is the same whatever is killed and whenever batches run.
func TestAJoinInAChainDependsOnTheLogAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		up := joining(rapid.SampledFrom([]string{"t", "a", "b"}).Draw(t, "with"), time.Duration(rapid.IntRange(1, 8).Draw(t, "within"))*time.Second)
		up.Outer, up.Sinks = rapid.Bool().Draw(t, "outer"), nil
		if up.Joined() == "t" {
			up.Select = slices.Delete(up.Select, 1, 2)
		}
		if rapid.Bool().Draw(t, "event time") {
			up.Time, up.AllowedLateness = "ts", conf.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "lateness"))
		}
		if up.Window = rapid.SampledFrom([]string{"", "tumbling 4s", "session 3s", "count 2"}).Draw(t, "window"); up.Window != "" {
			up.Select = nil
			up.GroupBy, up.Aggregate = conf.Pairs{{Key: "theirs", Value: "d.kind"}}, conf.Pairs{{Key: "n", Value: "count()"}, {Key: "value", Value: "sum(value)"}}
		}
		down := DefaultStream()
		down.Name, down.From, down.Sinks = "down", []string{"pins"}, []string{"x"}
		down.Window, down.GroupBy = "tumbling 5s", conf.Pairs{{Key: "theirs", Value: "theirs"}}
		down.Aggregate = conf.Pairs{{Key: "rows", Value: "count()"}, {Key: "sum", Value: "sum(value)"}}
		log := drawJoinLog(t)
		whole := newChained(t, up, down)
		for _, e := range log {
			whole.m.add(e)
		}
		whole.settle()
		whole.end()
		whole.check()
		c := newChained(t, up, down)
		for _, e := range log {
			c.m.add(e)
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				c.settle()
			case 1:
				step(t, c.streams[0])
				c.m.ride(c.streams[0])
			case 2:
				step(t, c.streams[0])
				if err := c.streams[0].checkpoint(t.Context()); err != nil {
					t.Fatal(err)
				}
			case 3:
				c.start(0)
			case 4:
				c.settle()
				c.start(rapid.IntRange(0, 1).Draw(t, "stage"))
			}
		}
		c.settle()
		c.end()
		c.check()
		if up.Time == "arrival" || up.Window == "tumbling 4s" || up.Window == "session 3s" { // else rows arrive on the clock, which ticks move
			if got, want := c.given(0), whole.given(0); !slices.Equal(got, want) {
				t.Fatalf("given\ngot  %s\nwant %s", strings.Join(got, "\n\n     "), strings.Join(want, "\n\n     "))
			}
			if got, want := c.final(1), whole.final(1); !slices.Equal(got, want) {
				t.Fatalf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
		}
	})
}

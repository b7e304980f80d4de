package batches

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// What is joined around a place is what the panes are, one after the other: also where rows come out of order, after windows that held their pane.
func TestSlidingWindowsAreTheirPanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := byDevice(rapid.SampledFrom([]string{"sliding 20s every 5s", "sliding 15s every 10s", "sliding 12s every 1s"}).Draw(t, "window"))
		c.From, c.Time, c.AllowedLateness = []string{"a"}, "ts", conf.Duration(time.Second)
		for i, f := range []string{"sum(value)", "min(value)", "first(value)", "last(value)", "p50(value)"} {
			c.Aggregate = append(c.Aggregate, conf.Pair{Key: fmt.Sprint("a", i), Value: f})
		}
		p := mustPlan(t, c)
		s := newPanes(p)
		r := newRowReader(p)
		w := edged.Instant{Wall: 1000 * sec}
		for range rapid.IntRange(1, 60).Draw(t, "rows") {
			at := w.Wall + rapid.Int64Range(-25, 25).Draw(t, "at")*sec
			b := blockOf("a", edged.Instant{Wall: at}, msg{
				fmt.Sprintf("site/%d/gpio/1", rapid.IntRange(1, 3).Draw(t, "device")), fmt.Sprintf(`{"value":%d,"ts":%d}`, rapid.IntRange(0, 99).Draw(t, "value"), at/1e6), at,
			})
			v := r.begin(b, 0)
			if v != good {
				t.Fatalf("%s", r.reason)
			}
			r.next()
			r.arguments()
			s.add(&arrived{reader: r, at: at, key: r.group(), args: r.args, trusted: true, watermark: w})
			w.Wall += rapid.Int64Range(0, 4).Draw(t, "on") * sec
			for _, start, ok := s.start(); ok && start+p.window.Size <= w.Wall; _, start, ok = s.start() {
				win := edged.Window{Start: start, End: start + p.window.Size}
				keys := map[string]bool{}
				for _, pane := range s.in(win) {
					for key := range maps.Keys(pane.groups) {
						keys[key] = true
					}
				}
				var want, got output
				want.p, got.p = p, p
				for _, g := range s.soFar(win, keys) {
					want.result(win, g, nil, signs{})
				}
				s.advance(edged.Instant{Wall: win.End}, &got)
				if !slices.Equal(got.rows.Cells, want.rows.Cells) || len(want.rows.Cells) == 0 {
					t.Fatalf("window %d:\ngot  %v\nwant %v", start/sec, got.rows.Cells, want.rows.Cells)
				}
			}
		}
	})
}

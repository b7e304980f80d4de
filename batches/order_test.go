package batches

import (
	"fmt"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
)

// The order of first, last and collect where rows come out of order: that of the log; panes of a sliding window, and sessions that a row has joined, count one
// after the other in the order of time.
func TestTheOrderOfFirstAndLast(t *testing.T) {
	for _, c := range []struct {
		window, want string
		at           []int // of the rows a, b, c, d
	}{
		{"tumbling 20s", `1000 a d ["a","b","c","d"]`, []int{1012, 1003, 1015, 1001}},
		{"sliding 20s every 10s", `990 b d ["b","d"]; 1000 b c ["b","d","a","c"]; 1010 a c ["a","c"]`, []int{1012, 1003, 1015, 1001}},
		{"session 20s", `1012 a c ["a","d","b","c"]`, []int{1012, 1050, 1049, 1031}}, // b and c are a session until d joins them with that of a
		{"count 4", `1001 a d ["a","b","c","d"]`, []int{1012, 1003, 1015, 1001}},
	} {
		config := watching(c.window, "first(state)", "last(state)", "collect(state, 9)")
		config.Time, config.AllowedLateness, config.Idle = "ts", conf.Duration(time.Minute), 0
		p := mustPlan(t, config)
		m := newMemStore(p)
		s := newStream(config, p, m)
		open(t, s)
		for i, at := range c.at {
			m.addBlock(blockOf("a", edged.Instant{Wall: 2000 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"state":%q,"ts":%d}`, string("abcd"[i]), at*1000), 2000 * sec}))
		}
		step(t, s)
		m.addBlock(blockOf("a", edged.Instant{Wall: 2000 * sec}, msg{"site/2/gpio/1", `{"state":"x","ts":1900000}`, 2000 * sec})) // all ends
		step(t, s)
		got := ""
		for _, g := range cells(t, m) {
			if g["device"].Str() == "1" {
				got += fmt.Sprint("; ", g["window_start"].Nanos()/sec, " ", g["x0"].Str(), " ", g["x1"].Str(), " ", g["x2"].Str())
			}
		}
		if got != "; "+c.want {
			t.Errorf("%s: %s, want %s", c.window, got, c.want)
		}
	}
}

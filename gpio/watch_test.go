package gpio

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// told says readings in short: "1", "1 rising", with the milliseconds since start.
func told(start time.Time, ms []message) (out []string) {
	for _, m := range ms {
		s := fmt.Sprintf("%dms %v", m.TS-start.UnixMilli(), m.Value)
		if m.Edge != "" {
			s += " " + m.Edge
		}
		out = append(out, s)
	}
	return out
}

func TestWatch(t *testing.T) {
	type step struct {
		after time.Duration
		level float64
	}
	ms := time.Millisecond
	for _, c := range []struct {
		name, keys string
		steps      []step
		want       []string
		bounces    uint64
	}{
		{"every edge", `edge = "both"`, []step{{10 * ms, 1}, {5 * ms, 0}}, []string{"0ms 0", "10ms 1 rising", "15ms 0 falling"}, 0},
		{"rising only, without a value at the start", `edge = "rising"`, []step{{10 * ms, 1}, {5 * ms, 0}, {5 * ms, 1}}, []string{"10ms 1 rising", "20ms 1 rising"}, 0},
		{"falling only", `edge = "falling"`, []step{{10 * ms, 1}, {5 * ms, 0}}, []string{"15ms 0 falling"}, 0},
		{"inverted: the filter is about the inverted value", "edge = \"rising\"\ninvert = true", []step{{10 * ms, 1}, {5 * ms, 0}}, []string{"15ms 1 rising"}, 0},
		{"inverted at the start", "edge = \"both\"\ninvert = true", []step{{10 * ms, 1}}, []string{"0ms 1", "10ms 0 falling"}, 0},
		{"a contact that bounces closes once, at its first touch", "edge = \"both\"\ndebounce = \"20ms\"",
			[]step{{100 * ms, 1}, {2 * ms, 0}, {2 * ms, 1}, {900 * ms, 0}, {3 * ms, 1}, {3 * ms, 0}}, []string{"0ms 0", "100ms 1 rising", "1004ms 0 falling"}, 4},
		{"a spark is nothing", "edge = \"both\"\ndebounce = \"20ms\"", []step{{100 * ms, 1}, {19 * ms, 0}}, []string{"0ms 0"}, 2},
		{"a pulse just long enough counts", "edge = \"both\"\ndebounce = \"20ms\"", []step{{100 * ms, 1}, {20 * ms, 0}}, []string{"0ms 0", "100ms 1 rising", "120ms 0 falling"}, 0},
		{"a debounce longer than one wait", "edge = \"both\"\ndebounce = \"2s\"", []step{{100 * ms, 1}, {1500 * ms, 0}, {100 * ms, 1}}, []string{"0ms 0", "100ms 1 rising"}, 2},
		{"an edge that was lost in between", `edge = "both"`, []step{{10 * ms, 1}, {5 * ms, 1}}, []string{"0ms 0", "10ms 1 rising", "15ms 1 rising"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, begin := newFakeLine(), time.Now()
				h := start(t, "[gpio]\ndriver = \"sim\"\n[gpio.pin.door]\nline = \"GPIO17\"\n"+c.keys, f.open)
				synctest.Wait() // until the line is open, and read
				for _, s := range c.steps {
					time.Sleep(s.after)
					f.set(s.level)
				}
				time.Sleep(5 * time.Second)
				h.stop()
				got := h.broker.messages()
				if s := told(begin, got); !slices.Equal(s, c.want) {
					t.Errorf("%q, want %q", s, c.want)
				}
				for i, m := range got {
					if m.Seq != uint64(i+1) || m.Name != "door" || m.Line != "GPIO17" || m.topic != "site/local/gpio/door" || m.qos != 1 || m.retain {
						t.Errorf("%+v", m)
					}
				}
				s := h.Status()[0]
				balanced(t, s, 0)
				if s.Bounces != c.bounces || h.metric(t, `edged_gpio_bounces_total{pin="door"}`) != fmt.Sprint(c.bounces) {
					t.Errorf("%d bounces, want %d", s.Bounces, c.bounces)
				}
				if !f.closed {
					t.Error("the line was not released")
				}
			})
		})
	}
}

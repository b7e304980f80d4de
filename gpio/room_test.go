package gpio

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edged"

	"github.com/VictoriaMetrics/metrics"
)

const three = `
[gpio]
driver = "sim"
topic = "site/7/{line}/{name}"
qos = 0
[gpio.pin.door]
line = "GPIO17"
debounce = "20ms"
retain = true
[gpio.pin.temperature]
line = "GPIO4"
interval = "500ms"
wave = { kind = "noise", min = 15, max = 25, seed = 3 }
[gpio.pin.meter]
edge = "rising"
wave = { kind = "counter", period = "700ms" }
`

// TestTwoRunsOfASimulationGiveTheSame runs real simulated lines through the whole room, twice.
func TestTwoRunsOfASimulationGiveTheSame(t *testing.T) {
	var runs [2][]message
	for i := range runs {
		synctest.Test(t, func(t *testing.T) {
			h := start(t, three, openSim)
			time.Sleep(10*time.Second + 100*time.Millisecond)
			h.stop()
			runs[i] = h.broker.messages()
			slices.SortFunc(runs[i], func(a, b message) int {
				if c := strings.Compare(a.Name, b.Name); c != 0 {
					return c
				}
				return int(a.Seq) - int(b.Seq)
			})
		})
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Errorf("two runs differ:\n%v\n%v", runs[0], runs[1])
	}
	n := map[string]int{}
	for _, m := range runs[0] {
		n[m.topic]++
		if m.retain != (m.Name == "door") || m.qos != 0 {
			t.Errorf("%+v", m)
		}
	}
	want := map[string]int{"site/7/GPIO17/door": 11, "site/7/GPIO4/temperature": 21, "site/7/meter/meter": 14}
	for topic := range want {
		if n[topic] != want[topic] {
			t.Errorf("%d readings on %s, want %d", n[topic], topic, want[topic])
		}
	}
}

// TestAMissingChip: ten minutes without the chip are one line of log, whatever pins it is missing for; another pin works
// all the while, and when the chip comes the others do too.
func TestAMissingChip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g := newFakeLine(), newFakeLine()
		var there atomic.Bool
		open := func(p *PinConfig) (line, error) {
			switch {
			case p.Name == "temperature":
				return f, nil
			case !there.Load():
				return nil, errors.New("no GPIO chip")
			}
			return g, nil
		}
		h := start(t, three, open)
		time.Sleep(10 * time.Minute)
		if l := h.journal.lines("no GPIO chip"); len(l) != 1 {
			t.Errorf("%d lines: %q", len(l), l)
		}
		for _, s := range h.Status() {
			if ok := s.Name == "temperature"; ok != (s.State == "running") || ok != (s.Readings > 1000) || ok != (s.LastError == "") {
				t.Errorf("%+v", s)
			}
		}
		there.Store(true)
		time.Sleep(2 * time.Minute)
		for _, s := range h.Status() {
			if s.State != "running" {
				t.Errorf("%+v", s)
			}
		}
		if l := h.journal.lines("works again"); len(l) != 2 {
			t.Errorf("%q", l)
		}
	})
}

// TestALineThatIsLost: a line that fails is released and opened again; seq goes on, and the state is told anew.
func TestALineThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newFakeLine(), newFakeLine()
		second.level = 1
		lines := make(chan *fakeLine, 2)
		lines <- first
		lines <- second
		h := start(t, "[gpio]\ndriver = \"sim\"\n[gpio.pin.door]\nedge = \"both\"\n", func(*PinConfig) (line, error) { return <-lines, nil })
		synctest.Wait()
		first.fail(errGone)
		time.Sleep(time.Minute)
		h.stop()
		if !first.closed || !second.closed {
			t.Error("a line was not released")
		}
		ms := h.broker.messages()
		if len(ms) != 2 || ms[1].Seq != 2 || ms[1].Value != 1 || ms[1].Edge != "" {
			t.Errorf("%+v", ms)
		}
	})
}

func TestAPermanentErrorStopsThePin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opens atomic.Int32
		h := start(t, three, func(*PinConfig) (line, error) {
			opens.Add(1)
			return nil, edged.WithClass(errors.New("not on this system"), edged.Permanent)
		})
		time.Sleep(time.Hour)
		for _, s := range h.Status() {
			if s.State != "stopped" || s.LastError != "not on this system" || s.Value != nil {
				t.Errorf("%+v", s)
			}
		}
		if opens.Load() != 3 || len(h.journal.lines("not on this system")) != 1 {
			t.Errorf("%d attempts, log %q", opens.Load(), h.journal.lines(""))
		}
	})
}

// TestAPanicOfALineEndsNothingElse: supervise catches it, and the pin is tried again.
func TestAPanicOfALineEndsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeLine()
		var opens atomic.Int32
		h := start(t, "[gpio]\ndriver = \"sim\"\n[gpio.pin.door]\nedge = \"both\"\n", func(*PinConfig) (line, error) {
			if opens.Add(1) == 1 {
				panic("a bug")
			}
			return f, nil
		})
		time.Sleep(time.Minute)
		if s := h.Status()[0]; s.State != "running" || s.Readings != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAReplayThatDoesNotRepeatEndsItsPin(t *testing.T) {
	name := replayFile(t, "0,0\n1000,1\n3000,0\n")
	for _, how := range []string{`edge = "both"`, `interval = "1s"`} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			h := start(t, "[gpio]\ndriver = \"sim\"\n[gpio.pin.door]\n"+how+"\nwave = { kind = \"csv\", file = '"+name+"', repeat = false }", openSim)
			time.Sleep(time.Minute)
			want := []string{"0ms 0", "1000ms 1 rising", "3000ms 0 falling"}
			if how != `edge = "both"` {
				want = []string{"0ms 0", "1000ms 1", "2000ms 1", "3000ms 0", "4000ms 0"}
			}
			if got := told(begin, h.broker.messages()); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", how, got, want)
			}
			if s := h.Status()[0]; s.State != "ended" || s.LastError != "" {
				t.Errorf("%s: %+v", how, s)
			}
		})
	}
}

// TestNew runs what Load gives, with the lines that the driver names.
func TestNew(t *testing.T) {
	for _, c := range []struct{ driver, keys, state string }{
		{"sim", "", "running"},
		{"periph", "line = \"GPIO17\"\nedge = \"both\"", "waiting"},
	} {
		if found, _ := filepath.Glob("/dev/gpiochip*"); len(found) > 0 && c.driver == "periph" {
			t.Logf("not tried: this computer has GPIO chips: %v", found)
			continue
		}
		if runtime.GOOS != "linux" && c.driver == "periph" {
			c.state = "stopped"
		}
		synctest.Test(t, func(t *testing.T) {
			var j journal
			var b fakeBroker
			r := New(parse(t, "[gpio]\ndriver = \""+c.driver+"\"\n[gpio.pin.door]\n"+c.keys), b.publish, j.log(), metrics.NewSet())
			if s := r.Status()[0]; s.State != "starting" || s.Value != nil || s.Topic != "site/local/gpio/door" {
				t.Errorf("%+v", s)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			time.Sleep(5*time.Second + 100*time.Millisecond)
			synctest.Wait()
			if s := r.Status()[0]; s.State != c.state || (s.LastError == "") != (c.driver == "sim") {
				t.Errorf("%+v", s)
			}
			if n := len(j.lines("pin can be read")); n != 0 && c.driver == "sim" || n != 1 && c.driver == "periph" {
				t.Errorf("log: %q", j.lines(""))
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

package batches

import (
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// Early results change nothing in what is final: it is there as without them, behind the early results of the same window and group, under the highest
// revision.
func TestEarlyResultsEndInTheFinalOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := byDevice(rapid.SampledFrom([]string{"tumbling 10s", "sliding 20s every 5s", "session 8s"}).Draw(t, "window"))
		if rapid.Bool().Draw(t, "event time") {
			c.Time, c.MaxFuture, c.AllowedLateness = "ts", conf.Duration(time.Hour), conf.Duration(20*time.Second)
		}
		session := strings.HasPrefix(c.Window, "session")
		log := drawLog(t)
		want := allGiven(t, run(t, c, log))
		c.EmitEvery = conf.Duration(rapid.SampledFrom([]time.Duration{time.Second, 3 * time.Second}).Draw(t, "emit every"))
		all := allGiven(t, run(t, c, log))
		seen := 0
		for _, final := range want {
			var of []given
			for _, g := range all {
				if g.epoch == final.epoch && g.device == final.device && (g.start == final.start || session && g.start >= final.start && g.end <= final.end) {
					of = append(of, g)
				}
			}
			seen += len(of)
			if len(of) == 0 {
				t.Fatalf("%+v is not there", final)
			}
			last := of[len(of)-1]
			for i, g := range of[:len(of)-1] {
				if g.revision == 0 || g.revision >= last.revision || !session && (g.revision != float64(i+1) || i > 0 && g.n <= of[i-1].n) {
					t.Fatalf("%+v before %+v: %+v", g, last, of)
				}
			}
			if len(of) == 1 && last.revision != 0 {
				t.Fatalf("a revision of what was given once: %+v", last)
			}
			if last.revision = 0; last != final {
				t.Fatalf("%+v, want %+v", last, final)
			}
		}
		if seen != len(all) {
			t.Fatalf("%d results belong to windows, of %d", seen, len(all))
		}
	})
}

// The results of a running counter rise by revision, and end where they end without emit_every.
func TestRunningResultsBySchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := byDevice("running")
		log := drawLog(t)
		want := map[string]given{}
		for _, g := range allGiven(t, run(t, c, log)) {
			want[g.device] = g
		}
		c.EmitEvery = conf.Duration(rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second}).Draw(t, "emit every"))
		got := map[string]given{}
		for _, g := range allGiven(t, run(t, c, log)) {
			if was := got[g.device]; g.revision != was.revision+1 || g.n <= was.n {
				t.Fatalf("%+v after %+v", g, was)
			}
			got[g.device] = g
		}
		for device, g := range got {
			g.revision = 0
			if g != want[device] {
				t.Fatalf("%+v, want %+v", g, want[device])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d groups, want %d", len(got), len(want))
		}
	})
}

func TestEarlyResultsLeaveOnTheGrid(t *testing.T) {
	c := byDevice("tumbling 1m")
	c.From, c.EmitEvery = []string{"a"}, conf.Duration(10*time.Second)
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	row := func(device string, at int64) {
		m.addBlock(blockOf("a", edged.Instant{Wall: at * sec}, msg{"site/" + device + "/gpio/1", `{"value":1}`, at * sec}))
		step(t, s)
	}
	tick := func(at int64) {
		m.addTick("a", edged.Instant{Wall: at * sec})
		step(t, s)
	}
	row("1", 1021) // the window is 1020 to 1080
	if w, ok := s.Waits(); !ok || w.Until != (edged.Instant{Wall: 1030 * sec}) {
		t.Errorf("it waits for %+v %t", w, ok)
	}
	tick(1029)
	tick(1031) // revision 1
	if w, ok := s.Waits(); !ok || w.Until != (edged.Instant{Wall: 1080 * sec}) {
		t.Errorf("it waits for %+v %t, and nothing has changed", w, ok)
	}
	tick(1040) // nothing has changed
	row("1", 1041)
	row("2", 1055) // passes the point at 1050: revision 2 of 1, and 1 of 2
	row("3", 1056)
	tick(1080) // the window's end is a point too: nothing is given twice
	w := func(device string, n, revision float64) given {
		return given{start: 1020 * sec, end: 1080 * sec, device: device, n: n, revision: revision}
	}
	want := []given{w("1", 1, 1), w("1", 2, 2), w("2", 1, 1), w("1", 2, 3), w("2", 1, 2), w("3", 1, 0)}
	if got := allGiven(t, m); !slices.Equal(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	if err := s.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(m.values["state/pins"]); n != 1 {
		t.Errorf("%d values are kept of a stream that has nothing open", n)
	}
}

func TestWhatGoesWithAWindow(t *testing.T) {
	early := func(window string, every time.Duration) *StreamConfig {
		c := byDevice(window)
		c.EmitEvery = conf.Duration(every)
		return c
	}
	expiring := byDevice("session 1m")
	expiring.Expire = conf.Duration(time.Hour)
	shown := early("running", time.Second)
	shown.Having = "revision > 1"
	for want, c := range map[string]*StreamConfig{
		"emit_every: it is for tumbling, sliding, session and running windows":                                                                       early("count 3", time.Second),
		"emit_every: it must be shorter than the window, else there is nothing to give early":                                                        early("tumbling 10s", 10*time.Second),
		"emit_every: it must be at least 1ms":                                                                                                        early("session 10s", -time.Second),
		`expire: it is for window = "running"; what other windows hold ends with them`:                                                               expiring,
		"emit_every: 3600 windows are open at once, and each would give results early; 100 are allowed: choose a longer step, or give up emit_every": early("sliding 1h every 1s", time.Minute),
		"": shown,
	} {
		_, problems := Compile(c)
		got := ""
		if len(problems) > 0 {
			got = problems[0].where() + ": " + problems[0].Err.Error()
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

package batches

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// Running counters against plain ones: after each block, those that have changed, by device.
func TestRunningCountsAgainstPlainCounters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		var want []given
		have := map[string]given{}
		for _, e := range log {
			changed := map[string]bool{}
			for _, r := range plainRows(&e) {
				g, ok := have[r.device]
				if !ok {
					g = given{device: r.device, start: r.at, end: r.at + 1}
				}
				g.epoch, g.start, g.end, g.n = max(g.epoch, r.epoch), min(g.start, r.at), max(g.end, r.at+1), g.n+1
				have[r.device], changed[r.device] = g, true
			}
			for _, d := range []string{"1", "2", "3"} {
				if changed[d] {
					want = append(want, have[d])
				}
			}
		}
		if got := allGiven(t, run(t, byDevice("running"), log)); !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// A group that was silent for long enough begins anew; a step of the clock alone is no silence.
func TestARunningGroupExpires(t *testing.T) {
	c := byDevice("running")
	c.From, c.Expire = []string{"a"}, conf.Duration(time.Minute)
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	row := func(device string, epoch uint32, at int64) {
		m.addBlock(blockOf("a", edged.Instant{Epoch: epoch, Wall: at * sec}, msg{"site/" + device + "/gpio/1", `{"value":1}`, at * sec}))
	}
	row("1", 0, 1000)
	row("2", 0, 1001)
	row("1", 0, 1030)
	row("2", 0, 1061) // just in time to be forgotten: by its entry's end it has spoken again
	row("1", 0, 1091) // so has this
	m.addTick("a", edged.Instant{Epoch: 1, Wall: 9000 * sec})
	row("1", 1, 9059)
	m.addTick("a", edged.Instant{Epoch: 1, Wall: 9061 * sec}) // 2 was silent in this epoch
	row("1", 1, 9062)
	row("2", 1, 9063)
	step(t, s)
	var got []string
	for _, g := range allGiven(t, m) {
		got = append(got, fmt.Sprint(g.device, ":", g.n))
	}
	if want := []string{"1:1", "2:1", "1:2", "2:2", "1:3", "1:4", "1:5", "2:1"}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if n := s.st.count(); n != 2 {
		t.Errorf("%d groups", n)
	}
}

// A receiver that has not stepped its clock yet does not make a group older that another one has brought into the new epoch: it would be forgotten sooner after
// a restart than without one.
func TestAnOlderEpochMakesNoGroupOlder(t *testing.T) {
	for _, restart := range []bool{false, true} {
		c := byDevice("running")
		c.Expire = conf.Duration(time.Second)
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		row := func(receiver string, epoch uint32, at int64) {
			m.addBlock(blockOf(receiver, edged.Instant{Epoch: epoch, Wall: at * sec}, msg{"site/1/gpio/1", `{"value":1}`, at * sec}))
			step(t, s)
		}
		row("a", 1, 1000)
		row("b", 0, 1000)
		if restart {
			if err := s.checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
			s = newStream(c, p, m)
			open(t, s)
		}
		m.addTick("b", edged.Instant{Wall: 1001 * sec})
		row("b", 0, 1001)
		if all := allGiven(t, m); len(all) != 3 || all[2].n != 3 || all[2].epoch != 1 {
			t.Errorf("restart %v: %+v", restart, all)
		}
	}
}

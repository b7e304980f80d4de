package batches

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"

	"pgregory.net/rapid"
)

// What a batch gives and where it ends are one commit: a batch that was committed does not come again, and no row is lost.
func TestBatchesAfterKills(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := byDevice("batch")
		if rapid.Bool().Draw(t, "event time") {
			c.Time, c.MaxFuture = "ts", conf.Duration(time.Hour)
		}
		p := mustPlan(t, c)
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		want, got := map[string]float64{}, map[string]float64{}
		pending := false
		for _, e := range drawLog(t) {
			m.add(e)
			for _, r := range plainRows(&e) {
				if r.dated || c.Time == "arrival" {
					want[r.device]++
				}
			}
			pending = true
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				before := len(m.results["pins"])
				step(t, s)
				if n := len(m.results["pins"]); n > before+1 {
					t.Fatalf("%d results of one step", n-before)
				}
				pending = false
			case 1:
				s = newStream(c, p, m)
				open(t, s)
			case 2:
				step(t, s)
				m.ride(s)
				s = newStream(c, p, m)
				open(t, s)
				pending = false
			}
		}
		if pending {
			step(t, s)
		}
		for _, g := range allGiven(t, m) {
			got[g.device] += g.n
			if g.start >= g.end || g.partial {
				t.Fatalf("%+v", g)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		if s.rec.Late > 0 || !s.Status().Balanced {
			t.Fatalf("%+v", s.Status())
		}
	})
}

func TestBatchesFollowOneAnother(t *testing.T) {
	c := byDevice("batch")
	c.From = []string{"a"}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	for i := range int64(4) {
		if i != 2 { // an empty batch gives nothing
			for _, device := range []string{"2", "1", "2"} {
				at := (1001 + 10*i) * sec
				m.addBlock(blockOf("a", edged.Instant{Wall: at + sec}, msg{"site/" + device + "/gpio/1", `{"value":1}`, at}))
			}
		}
		m.addTick("a", edged.Instant{Wall: (1009 + 10*i) * sec})
		step(t, s)
		if i == 0 {
			s = newStream(c, p, m)
			open(t, s)
		}
	}
	var want []given
	for _, w := range [][2]int64{{1001, 1009}, {1009, 1019}, {1029, 1039}} {
		want = append(want, given{start: w[0] * sec, end: w[1] * sec, device: "1", n: 1}, given{start: w[0] * sec, end: w[1] * sec, device: "2", n: 2})
	}
	if got := allGiven(t, m); !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(m.values["state/pins"]); n != 1 {
		t.Errorf("%d values are kept of a stream that has nothing open", n)
	}
}

package batches

import (
	"fmt"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
)

// The time without a row counts from a moment that is known of all receivers. Before the second one has said where it is, the stream's first rows
// are no reason to be silent since 1970, and to take the next ones as late for decades.
func TestIdleCountsFromWhereAllReceiversAreKnown(t *testing.T) {
	c := byDevice("tumbling 10s")
	c.Time, c.AllowedLateness, c.Idle = "ts", conf.Duration(5*time.Second), conf.Duration(time.Minute)
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	row := func(at int64) {
		m.addBlock(blockOf("a", edged.Instant{Wall: at * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"ts":%d}`, at*1000), at * sec}))
		step(t, s)
	}
	row(1001)
	if w, ok := s.Waits(); ok {
		t.Errorf("it waits for %v, and b is not known", w)
	}
	m.addTick("b", edged.Instant{Wall: 1001 * sec}) // the first that is heard of b
	step(t, s)
	row(1002)
	m.addTick("b", edged.Instant{Wall: 1002 * sec})
	step(t, s)
	if n := s.rec.Counts; n.Applied != 2 || n.Late != 0 || s.wm.now() != (edged.Instant{Wall: 997 * sec}) {
		t.Fatalf("%+v, the watermark is %v", n, s.wm.now())
	}
	for _, r := range []string{"a", "b"} { // the watermark is 997 s: a minute of silence, and 13 s at the pace of arrival
		m.addTick(r, edged.Instant{Wall: 1075 * sec})
	}
	step(t, s)
	if all := allGiven(t, m); len(all) != 1 || all[0].n != 2 {
		t.Errorf("%+v", all)
	}
}

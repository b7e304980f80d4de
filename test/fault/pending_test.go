package fault

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/verdict"
)

// One delivery has reached its max_pending, because its server is away. With block nothing is lost: intake stops and resumes. With drop_oldest and
// drop_newest exactly the counted rows are missing, from that delivery alone.
func TestADeliveryIsFull(t *testing.T) {
	for _, when := range []string{"block", "drop_oldest", "drop_newest"} {
		t.Run(when, func(t *testing.T) {
			if when == "drop_newest" {
				long(t)
			}
			t.Parallel()
			cloud := harness.NewServer(t)
			down := func(*http.Request, string) int { return http.StatusServiceUnavailable }
			cloud.Answer(down)
			e := harness.New(t, "")
			e.Configure(apart("", fmt.Sprintf("max_pending = \"1MiB\"\nwhen_full = %q", when), cloud.URL))
			e.Start()
			run := load.Under(t, e, load.Plan{Rate: 2000, For: 4 * time.Second, Extra: []string{"-pad", "600", "-drain", "2m"}}, func() {
				if when == "block" {
					says(t, e, "intake is stopped", "sink cloud holds back its max_pending")
					if code := refusal(t, e); code != 0x97 {
						t.Errorf("a full delivery answers with %#x", code)
					}
				} else {
					harness.Until(t, 30*time.Second, "rows are dropped", func() bool { return deliveryOf(t, e.Status(), "raw", "cloud").Dropped > 0 })
					e.Kill() // what was dropped stays dropped, and counted
					e.Start()
					time.Sleep(time.Second)
				}
				cloud.Answer(nil)
			})
			s := e.AtRest(60 * time.Second)
			d := deliveryOf(t, s, "raw", "cloud")
			if other := deliveryOf(t, s, "raw", "archive"); other.Dropped+other.Dead+other.Damaged > 0 {
				t.Errorf("the other delivery lost rows: %+v", other)
			}
			fault := "max_pending of one delivery is reached, when_full = " + when
			v := load.Judge(t, e, run, fault, "raw.ndjson")
			load.SameCounts(t, e, e.Rows("raw.ndjson"))
			rows := int64(len(cloud.Rows()))
			missing := int64(d.Produced) - rows
			v.Lost += max(0, missing-int64(d.Dropped))
			v.Doubled += max(0, int64(d.Dropped)-missing)
			v.Expected = fmt.Sprintf("%d of %d rows missing there, %d counted as dropped", missing, d.Produced, d.Dropped)
			if when == "block" && d.Dropped > 0 || when != "block" && d.Dropped == 0 {
				t.Errorf("%+v", d)
			}
			v.Holds(t)
			if when == "drop_oldest" {
				verdict.Verdict{Fault: fault + ", a row taken away", Acked: v.Acked, Lost: int64(d.Produced) - (rows - 1) - int64(d.Dropped)}.Breaks(t)
			}
		})
	}
}

// For a windowed stream results are dropped, not messages.
func TestADeliveryOfResultsIsFull(t *testing.T) {
	long(t)
	t.Parallel()
	cloud := harness.NewServer(t)
	cloud.Answer(func(*http.Request, string) int { return http.StatusServiceUnavailable })
	e := harness.New(t, "")
	c := load.With(load.Config, "sink.cloud", fmt.Sprintf("type = \"http\"\nurl = %q\nmax_pending = \"64KiB\"\nwhen_full = \"drop_oldest\"", cloud.URL))
	e.Configure(strings.Replace(c, `sinks = ["aggregates"]`, `sinks = ["aggregates", "cloud"]`, 1))
	e.Start()
	run := load.Under(t, e, load.Plan{Conns: 100, Rate: 2000, For: 6 * time.Second}, func() {
		harness.Until(t, 30*time.Second, "results are dropped", func() bool { return deliveryOf(t, e.Status(), "pins", "cloud").Dropped > 0 })
		cloud.Answer(nil)
	})
	s := e.AtRest(60 * time.Second)
	d := deliveryOf(t, s, "pins", "cloud")
	v := load.Judge(t, e, run, "max_pending of a delivery of results is reached", "raw.ndjson")
	load.SameCounts(t, e, e.Rows("raw.ndjson")) // the other sink of the results has all of them
	missing := int64(d.Produced) - int64(len(cloud.Rows()))
	v.Lost += max(0, missing-int64(d.Dropped))
	v.Doubled += max(0, int64(d.Dropped)-missing)
	v.Expected = fmt.Sprintf("%d of %d results missing there, %d counted as dropped", missing, d.Produced, d.Dropped)
	v.Holds(t)
}

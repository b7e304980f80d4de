package batches

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
)

// A long and dense log gives the same with a checkpoint and a restart after every entry as in one step: nothing of a state is only in memory.
func TestARestartAfterEveryEntry(t *testing.T) {
	for _, window := range []string{"tumbling 10s", "sliding 20s every 3s", "session 4s", "count 5", "running"} {
		for _, kind := range []string{"arrival", "event", "arrival, early", "event, early"} {
			c := byDevice(window)
			c.Aggregate = append(c.Aggregate, conf.Pair{Key: "sum", Value: "sum(value)"}, conf.Pair{Key: "sd", Value: "stddev(value)"}, conf.Pair{Key: "rate", Value: "rate(value)"})
			if kind[0] == 'e' {
				c.Time, c.AllowedLateness = "ts", conf.Duration(4*time.Second)
			}
			if kind != "arrival" && kind != "event" && window != "count 5" {
				c.EmitEvery = conf.Duration(2 * time.Second)
			}
			if window == "running" {
				c.Expire = conf.Duration(5 * time.Second)
			}
			t.Run(window+", "+kind, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				var log []edged.Entry
				at := edged.Instant{Wall: 1000 * sec}
				for i := range 300 {
					if i%60 == 59 {
						at.Epoch++
					}
					var msgs []msg
					for range r.IntN(4) {
						at.Wall += r.Int64N(sec)
						msgs = append(msgs, msg{fmt.Sprintf("site/%d/gpio/1", r.IntN(4)), fmt.Sprintf(`{"value":%g,"ts":%d}`, r.Float64()*1e3, at.Wall/1e6-r.Int64N(9000)), at.Wall})
					}
					at.Wall += r.Int64N(2 * sec)
					receiver := []string{"a", "b"}[i%2]
					if len(msgs) > 0 {
						log = append(log, edged.Entry{Block: blockOf(receiver, at, msgs...)})
					}
					log = append(log, edged.Entry{Tick: &edged.Tick{Receivers: []edged.ReceiverTotal{{Receiver: receiver, Cut: at}}}})
				}
				want := outcome(t, run(t, c, log))
				p := mustPlan(t, c)
				m := newMemStore(p)
				for _, e := range log {
					m.add(e)
					s := newStream(c, p, m)
					open(t, s)
					step(t, s)
					if err := s.checkpoint(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				endOfTime(m)
				s := newStream(c, p, m)
				open(t, s)
				step(t, s)
				got := outcome(t, m)
				if len(want) < 50 || !slices.Equal(got, want) {
					for i := range min(len(got), len(want)) {
						if got[i] != want[i] {
							t.Fatalf("result %d of %d:\ngot  %v\nwant %v", i, len(want), got[i], want[i])
						}
					}
					t.Fatalf("%d results, want %d", len(got), len(want))
				}
			})
		}
	}
}

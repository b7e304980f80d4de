package receiver

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

// The least of max_rate and the estimates is what publishers are slowed to; none is refused.
func TestTheSlowestConsumerDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(func(o *Options) { o.MaxRate, o.MinRate, o.Batch = 2000, 50, time.Second })
		batch := func(by string, messages float64, took time.Duration) {
			time.Sleep(time.Second)
			g.Report(by, Batch{Messages: messages, Took: took})
		}
		run(t, g, func() {
			limit := func(want float64) {
				t.Helper()
				if got := g.RateLimit(); math.Abs(got-want) > 1e-6 {
					t.Fatalf("the limit is %v, want %v: %+v", got, want, g.Rate())
				}
			}
			batch("sink a", 100, time.Second)
			limit(2000) // the first batch only begins
			batch("sink a", 300, time.Second)
			limit(300)
			batch("stream b", 100, time.Second)
			batch("stream b", 5000, time.Second)
			limit(300)
			batch("stream b", 200, time.Second)
			limit(200)
			batch("sink a", 1, time.Second)
			limit(50)
			batch("sink a", 10000, time.Second)
			limit(200)
			batch("stream b", 10000, time.Second)
			limit(2000)
			if r := g.Rate(); r.Limit != 2000 || r.MaxRate != 2000 || len(r.Estimates) != 2 || r.Estimates[1] != (Estimate{"stream b", 10000, 10000, 1, 0}) {
				t.Fatalf("%+v", r)
			}
			batch("stream b", 100, time.Second)
			began := time.Now()
			for range 320 {
				take(t, g, "x", "", nil, 0)
				if g.Status().Queue > 5 {
					s.commit(nil)
				}
			}
			if d := time.Since(began); d < 2900*time.Millisecond || d > 3100*time.Millisecond {
				t.Fatalf("320 messages at 100/s with a burst of 20 took %v", d)
			}
			g.Forget("stream b")
			limit(2000)
			if st := g.Status(); st.Rejected != 0 {
				t.Fatalf("%+v", st)
			}
		})
	})
}

// Before the second batch there is no bound, and no cost of one.
func TestNobodyIsSlowedBeforeTheFirstEstimate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := setup(func(o *Options) { o.MinRate, o.Batch = 100, time.Second })
		g.Report("stream a", Batch{Messages: 1, Took: time.Hour})
		if r := g.Rate(); !math.IsInf(g.RateLimit(), 1) || r.Limit != 0 || r.Estimates[0].Rate != 0 {
			t.Fatalf("%+v", r)
		}
		run(t, g, func() {
			m := &edged.Message{Topic: "x"}
			if n := testing.AllocsPerRun(100, func() { _ = g.pace.wait(context.Background()) }); n > 0 {
				t.Errorf("%v allocations", n)
			}
			if err := g.Take(context.Background(), m, nil, 0); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// Who waits for a rate is free when the receiver stops, however low it is.
func TestAStopFreesWhoWaitsForTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := setup(func(o *Options) { o.MaxRate = 0.001 })
		waited := make(chan error, 3)
		run(t, g, func() {
			take(t, g, "x", "", nil, 0)
			for range cap(waited) {
				go func() { waited <- g.Take(context.Background(), &edged.Message{Topic: "x"}, nil, 0) }()
			}
			time.Sleep(time.Second)
		})
		synctest.Wait()
		for range cap(waited) {
			select {
			case err := <-waited:
				if !errors.Is(err, edged.ErrStopped) {
					t.Error(err)
				}
			default:
				t.Fatal("somebody still waits")
			}
		}
	})
}

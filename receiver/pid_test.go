package receiver

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The values were worked out by hand from Spark's formula, which the comment on PID gives.
func TestTheEstimatorFollowsItsFormula(t *testing.T) {
	const s = time.Second
	type batch struct {
		at                     time.Duration
		messages               float64
		processing, scheduling time.Duration
		want                   float64 // 0: none
	}
	for name, c := range map[string]struct {
		pid     *PID
		batches []batch
	}{
		"Spark's gains": {NewPID(100, s), []batch{
			{1 * s, 0, s, 0, 0},
			{1 * s, 1000, 0, 0, 0},
			{1 * s, 1000, s, 0, 0},              // the first that counts: r = 1000
			{2 * s, 2000, s, 0, 2000},           // p = 2000, e = -1000
			{3 * s, 2000, 2 * s, 0, 1000},       // p = 1000, e = 1000
			{5 * s, 1000, 2 * s, s, 400},        // p = 500, e = 500, h = 500: 1000 - 500 - 100
			{6 * s, 400, s / 2, 3 * s, 320},     // p = 800, e = -400, h = 2400: 400 + 400 - 480
			{6 * s, 400, s / 2, 3 * s, 0},       // not later
			{5 * s, 400, s / 2, 3 * s, 0},       // earlier
			{7 * s, 0, s, 0, 0},                 // nothing in it
			{7 * s, 400, 0, 0, 0},               // took no time
			{7 * s, 10, s, 0, 100},              // p = 10: 10, and that is too little
			{8 * s, 50, s / 10, 0, 500},         // p = 500, from 100
			{9 * s, 50, s / 10, time.Hour, 100}, // far behind
		}},
		"all three": {&PID{P: 0.5, I: 0.1, D: 0.25, MinRate: 10, Interval: 2 * s}, []batch{
			{10 * s, 600, 2 * s, 0, 0},       // r = 300
			{12 * s, 400, s, s / 2, 352.5},   // p = 400, e = -100, h = 100, slope -50: 300 + 50 - 10 + 12.5
			{13 * s, 200, 2 * s, 0, 138.125}, // p = 100, e = 252.5, slope 352.5: 352.5 - 126.25 - 88.125
		}},
	} {
		began := time.Unix(1000, 0)
		for i, b := range c.batches {
			got, ok := c.pid.Estimate(began.Add(b.at), b.messages, b.processing, b.scheduling)
			if ok != (b.want > 0) || math.Abs(got-b.want) > 1e-9 {
				t.Errorf("%s, batch %d: %v %v, want %v", name, i, got, ok, b.want)
			}
		}
	}
}

// Whatever comes, the rate is a number at or above the lowest; and without a delay Spark's gains give the rate of the last batch.
func TestTheEstimateIsNeverBelowTheLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPID(rapid.Float64Range(0.01, 1e6).Draw(t, "min"), time.Duration(rapid.Int64Range(1e7, 3.6e12).Draw(t, "interval")))
		at := time.Now()
		for i := range rapid.IntRange(1, 30).Draw(t, "batches") {
			at = at.Add(time.Duration(rapid.Int64Range(-1, 1e12).Draw(t, "later")))
			n := rapid.Float64Range(-1, 1e9).Draw(t, "messages")
			took := time.Duration(rapid.Int64Range(-1, 1e13).Draw(t, "took"))
			delay := time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "delay"))
			last := p.rate
			rate, ok := p.Estimate(at, n, took, delay)
			if ok && !(rate >= p.MinRate && rate < 1e19) || ok && (i == 0 || n <= 0 || took <= 0) {
				t.Fatalf("batch %d of %v messages in %v, %v late: %v, the least is %v", i, n, took, delay, rate, p.MinRate)
			}
			if want := max(p.MinRate, n/took.Seconds()); ok && delay == 0 && math.Abs(rate-want) > 1e-12*(last+want) { // what is left of last when it was taken away
				t.Fatalf("%v, the last batch had %v", rate, want)
			}
		}
	})
}

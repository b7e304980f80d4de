package e2e

import (
	"fmt"
	"math"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
)

const slowable = load.Gateway + `
[batch]
interval = "100ms"
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive", "cloud"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.cloud]
type = "http"
url = %q
batch_rows = 50
batch_age = "50ms"
backpressure = true
`

// A slow sink with backpressure = true slows the publishers to what it takes; nothing is lost, and when it is fast again, so are they.
func TestASlowSinkSlowsThePublishers(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	e := harness.New(t, fmt.Sprintf(slowable, cloud.URL))
	e.Start()
	const limit = `edged_receiver_rate_limit{receiver="field"}`
	received := func() float64 { return e.Metric(`edged_receiver_received_total{receiver="field"}`) }
	pace := func(messages float64) float64 { // at which so many are taken in
		from, began := received(), time.Now()
		harness.Until(t, 10*time.Second, fmt.Sprintf("%v messages are taken in", messages), func() bool { return received() >= from+messages })
		return (received() - from) / time.Since(began).Seconds()
	}
	const rate = 600 // which a sink takes on a slow and busy machine, too
	run := load.Under(t, e, load.Plan{Conns: 5, Rate: rate}, func() {
		harness.Until(t, 10*time.Second, "the sink takes rows, and keeps up", func() bool { return len(cloud.Rows()) > 100 && e.Metric(limit) > rate })
		harness.Until(t, 10*time.Second, "half of the rate is taken in while the sink is fast", func() bool { return pace(500) >= rate/2 })
		cloud.Hold(func() { time.Sleep(400 * time.Millisecond) }) // 125 rows a second
		harness.Until(t, 10*time.Second, "the limit falls, and the rate with it", func() bool { return e.Metric(limit) < rate/2 && pace(100) < rate/2 })
		cloud.Hold(nil)
		harness.Until(t, 10*time.Second, "the limit rises, and the rate with it", func() bool { return e.Metric(limit) > rate && pace(500) >= rate/2 })
	})
	s := e.AtRest(10 * time.Second)
	if r := s.Receivers[0]; r.Rejected > 0 || r.Rate == nil || len(r.Rate.Estimates) != 1 || r.Rate.Estimates[0].By != "sink cloud" {
		t.Errorf("%+v, %+v", r, r.Rate)
	}
	if v := load.Judge(t, e, run, "a slow sink", "raw.ndjson"); v.Acked == 0 || v.Lost > 0 || v.Doubled > 0 {
		t.Errorf("%+v", v)
	}
	if rows := len(cloud.Rows()); rows != len(e.Rows("raw.ndjson")) {
		t.Errorf("%d rows at the sink, %d in the file", rows, len(e.Rows("raw.ndjson")))
	}
	if math.IsInf(e.Metric(limit), 1) {
		t.Error("the rate has no bound at the end")
	}
}

// So does a stream whose batches take long, with backpressure = true at the receiver. The longer it goes on, the
// more there is to compute of a message: it is too much for any machine soon.
func TestSlowBatchesSlowThePublishers(t *testing.T) {
	t.Parallel()
	e := harness.New(t, heavy)
	e.Start()
	const rate, limit = 2000, `edged_receiver_rate_limit{receiver="field"}`
	run := load.Under(t, e, load.Plan{Conns: 5, Rate: rate}, func() {
		harness.Until(t, 15*time.Second, "the rate falls", func() bool { return e.Metric(limit) < rate/2 })
		if n := e.Metric(`edged_receiver_batch_messages{receiver="field",by="stream raw"}`); n <= 0 {
			t.Errorf("%v messages in the last batch", n)
		}
	})
	e.AtRest(15 * time.Second)
	if v := load.Judge(t, e, run, "slow batches", "raw.ndjson"); v.Acked == 0 || v.Lost > 0 || v.Doubled > 0 {
		t.Errorf("%+v", v)
	}
}

const heavy = load.Gateway + `
backpressure = true
backpressure_min_rate = "50/s"
[batch]
interval = "200ms"
[stream.raw]
from = ["field"]
topics = ["site/#"]
where = "count(1..20 * int(seq), # % 7 == 0) > 1"
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
`

// The example: a program that is slow to take rows slows another one that prints them, and each comes once, in order.
func TestASlowProgramSlowsItsSource(t *testing.T) {
	t.Parallel()
	e := shipped(t, "backpressure")
	e.Start()
	harness.Until(t, 15*time.Second, "the rate falls", func() bool {
		limit := e.Metric(`edged_receiver_rate_limit{receiver="numbers"}`)
		return limit > 0 && limit < 500
	})
	rows := e.Rows("rows.ndjson") // before a stop, which would give the row that has no answer yet to the program again
	if len(rows) < 100 {
		t.Fatalf("the program has %d rows", len(rows))
	}
	for i, r := range rows {
		if r["payload"] != float64(i+1) {
			t.Fatalf("row %d is %v", i+1, r)
		}
	}
}

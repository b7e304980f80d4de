package daemon

import (
	"bytes"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"edged/batches"
	"edged/configs"
	"edged/internal/conf"
	"edged/receiver"
	"edged/sinks/delivery"

	"github.com/VictoriaMetrics/metrics"
)

// pressed makes receivers without a store: nothing is taken in.
func pressed(own ...string) (*pressure, map[string]*receiver.Generator) {
	of, gs := &parts{c: &configs.Config{Batch: &batches.Config{Interval: conf.Duration(time.Second)}}}, map[string]*receiver.Generator{}
	p := newPressure(metrics.NewSet(), func() *parts { return of })
	for _, name := range []string{"a", "b"} {
		gs[name] = receiver.New(receiver.Options{Name: name, MinRate: 10, Batch: time.Second, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		of.inputs = append(of.inputs, &input{name: name, slows: slices.Contains(own, name), Supervisor: &receiver.Supervisor{Generator: gs[name]}})
	}
	return p, gs
}

func limits(t *testing.T, gs map[string]*receiver.Generator, a, b float64) {
	t.Helper()
	for name, want := range map[string]float64{"a": a, "b": b} {
		if got := gs[name].RateLimit(); got != want && !(math.Abs(got-want) < 1e-3*want) {
			t.Errorf("receiver %s: the limit is %v, want %v: %+v", name, got, want, gs[name].Rate())
		}
	}
}

// A stream slows those of its receivers that have backpressure = true.
func TestASlowStreamSlowsItsReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gs := pressed("b")
		report := p.stream("s")
		for range 2 {
			time.Sleep(time.Second)
			report(batches.Report{Messages: map[string]int{"a": 100, "b": 400}, Rows: 10, Took: 2 * time.Second, Delay: time.Second})
		}
		limits(t, gs, math.Inf(1), 160) // 400 in 2 s, and a fifth less for the second that it was late
		defer func() {                  // one that is no more holds nobody back
			p.forget("stream s")
			limits(t, gs, math.Inf(1), math.Inf(1))
		}()
		var out bytes.Buffer
		p.set.WritePrometheus(&out)
		for _, want := range []string{
			`edged_receiver_batch_messages{receiver="b",by="stream s"} 400`, `edged_receiver_batch_seconds{receiver="b",by="stream s"} 2`,
			`edged_receiver_batch_delay_seconds{receiver="b",by="stream s"} 1`,
		} {
			if !strings.Contains(out.String(), want+"\n") {
				t.Errorf("no %s in\n%s", want, &out)
			}
		}
	})
}

// A sink's rows stand for the messages that they came of, once, although several of its streams read the same messages.
func TestASlowSinkSlowsTheReceiversOfItsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gs := pressed()
		every, some, other := p.stream("every"), p.stream("some"), p.stream("other")
		sink := p.sink("cloud", []string{"every", "some", "not yet"})
		write := func(rows, waiting int, took time.Duration) {
			time.Sleep(time.Second)
			sink(delivery.Report{Rows: rows, Waiting: waiting, Took: took})
		}
		write(10, 0, time.Second) // nobody knows yet of what
		limits(t, gs, math.Inf(1), math.Inf(1))
		for range 2000 { // more than is remembered: the proportion stays
			every(batches.Report{Messages: map[string]int{"a": 1000}, Rows: 1000})
			some(batches.Report{Messages: map[string]int{"a": 1000}, Rows: 250})
			other(batches.Report{Messages: map[string]int{"b": 1000}, Rows: 1000})
		}
		if f := p.flows["every"]; f.rows > forgetAt {
			t.Errorf("%v rows are remembered", f.rows)
		}
		write(500, 0, time.Second)
		write(500, 0, time.Second) // of 400 messages
		limits(t, gs, 400, math.Inf(1))
		write(500, 500, time.Second) // what waits is a second's work, and a batch interval's
		limits(t, gs, 400, math.Inf(1))
		write(500, 1000, time.Second) // a second more
		limits(t, gs, 320, math.Inf(1))
		write(500, 0, time.Millisecond)
		limits(t, gs, 400_000, math.Inf(1))
	})
}

// A stream that takes rows of others slows their receivers, by as many messages as those made the rows of.
func TestASlowChainSlowsTheReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gs := pressed("b")
		first, second, third := p.stream("first"), p.stream("second"), p.stream("third")
		sink := p.sink("far", []string{"third"})
		for range 2 {
			time.Sleep(time.Second)
			first(batches.Report{Messages: map[string]int{"a": 300, "b": 600}, Rows: 30, Took: time.Millisecond})
			second(batches.Report{Messages: map[string]int{"first": 30}, Rows: 10, Took: time.Millisecond})
			third(batches.Report{Messages: map[string]int{"second": 5}, Rows: 1, Took: 2 * time.Second, Delay: time.Second})
		}
		limits(t, gs, math.Inf(1), 120) // 5 of 10 rows, which were 15 of 30, which were 300 of b in 2 s; and a fifth less for the second that it was late
		p.forget("stream third")
		for range 2 {
			time.Sleep(time.Second)
			sink(delivery.Report{Rows: 1, Took: 2 * time.Second})
		}
		if limit := gs["a"].RateLimit(); math.Abs(limit-75) > 1 {
			t.Errorf("the sink comes to %v messages of a, want 150 in 2 s", limit)
		}
	})
}

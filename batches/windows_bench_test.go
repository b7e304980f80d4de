package batches

import (
	"fmt"
	"testing"

	"edged"
	"edged/internal/conf"
)

// benchmarkWindow times rows of so many devices that come evenly, one a device and second, with the windows that they close.
func benchmarkWindow(b *testing.B, window string, many int, aggregates ...string) {
	c := byDevice(window)
	c.From = []string{"a"}
	for i, a := range aggregates {
		c.Aggregate = append(c.Aggregate, conf.Pair{Key: fmt.Sprint("a", i), Value: a})
	}
	p := mustPlan(b, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(b, s)
	at := 100_000 * sec
	for s.rec.Applied < 120*uint64(many) { // what a window holds is there
		s.apply(&edged.Entry{Seq: 1, Block: devices(0, many, at)})
		s.rec.Applied += uint64(many)
		at += sec
	}
	s.out.results = nil
	b.ReportAllocs()
	b.ResetTimer()
	block := devices(0, many, at)
	for n := 0; n < b.N; n += many {
		for i := range block.Arrival {
			block.Arrival[i] = at
		}
		block.Cut.Wall = at
		s.apply(&edged.Entry{Seq: 1, Block: block})
		s.out.results = s.out.results[:0]
		at += sec
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/row")
}

func BenchmarkTumblingMinute(b *testing.B) {
	benchmarkWindow(b, "tumbling 1m", 100, "avg(value)", "max(value)", "p99(value)")
}

func BenchmarkSlidingMinuteEverySecond(b *testing.B) {
	benchmarkWindow(b, "sliding 1m every 1s", 100, "avg(value)", "max(value)")
}

func BenchmarkSlidingHourEverySecond(b *testing.B) {
	benchmarkWindow(b, "sliding 1h every 1s", 20, "avg(value)", "max(value)")
}

func BenchmarkSlidingSketches(b *testing.B) {
	benchmarkWindow(b, "sliding 1m every 1s", 100, "p99(value)")
}

func BenchmarkSessionsOfTenThousandGroups(b *testing.B) {
	benchmarkWindow(b, "session 5m", 10000, "avg(value)", "max(value)")
}

func BenchmarkCount(b *testing.B) { benchmarkWindow(b, "count 100", 10000, "avg(value)") }

func BenchmarkRunning(b *testing.B) { benchmarkWindow(b, "running", 1000, "avg(value)") }

// An entry without a row must cost nothing, however much is open.
func BenchmarkAnIdleEntry(b *testing.B) {
	for _, window := range []string{"tumbling 24h", "sliding 1h every 1s", "session 24h", "count 1000000", "running"} {
		b.Run(window, func(b *testing.B) {
			c := byDevice(window)
			c.From = []string{"a"}
			p := mustPlan(b, c)
			m := newMemStore(p)
			s := newStream(c, p, m)
			open(b, s)
			at := 100_000 * sec
			many := 10000
			if window == "sliding 1h every 1s" { // that gives a result of each every second
				many = 10
			}
			s.apply(&edged.Entry{Seq: 1, Block: devices(0, many, at)})
			for i := range int64(3000) {
				s.apply(&edged.Entry{Seq: 1, Block: devices(0, 1, at+i*sec)})
			}
			s.out.results = nil
			tick := &edged.Tick{Receivers: []edged.ReceiverTotal{{Receiver: "a", Cut: edged.Instant{Wall: at + 3000*sec}}}}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				s.apply(&edged.Entry{Seq: 1, Tick: tick})
			}
		})
	}
}

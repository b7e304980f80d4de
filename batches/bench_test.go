package batches

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
)

// What a row costs on its way from a block into its window, for streams of each sort. `make bench-streams` prints it as a table, with the goals.

const (
	benchMessages = 200                    // of a block
	benchBlocks   = 50                     // prepared ones, which come round again
	benchInterval = 200 * time.Millisecond // between two blocks: a thousand messages a second
)

// benched is a stream that is measured.
type benched struct {
	name    string
	goal    float64 // ns a row, on one core; 0: none is promised
	rows    int     // of a message
	config  func(c *StreamConfig)
	message func(i int) (topic, payload string)
}

func aggregates(texts ...string) (p conf.Pairs) {
	for i, text := range texts {
		p = append(p, conf.Pair{Key: fmt.Sprint("a", i), Value: text})
	}
	return p
}

func numberMessage(i int) (topic, payload string) {
	return fmt.Sprintf("site/%d/gpio/1", i%10), fmt.Sprintf("%d.%02d", 15+i%17, i%100)
}

func benchedStreams() []benched {
	words := []string{"the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "gateways", "count", "words"}
	return []benched{
		{"number_avg", 200, 1, func(c *StreamConfig) {
			c.Decode, c.Aggregate = "number", aggregates("avg(value)")
		}, numberMessage},
		{"json_where_100_keys_5_aggregates", 1000, 1, func(c *StreamConfig) {
			c.Where, c.GroupBy = "value > -40", conf.Pairs{{Key: "device", Value: "device"}}
			c.Aggregate = aggregates("count()", "avg(value)", "min(value)", "max(value)", "stddev(value)")
		}, func(i int) (string, string) {
			return "site/1/meter", fmt.Sprintf(`{"device":"meter-%d","value":%d.%02d}`, i%100, 15+i%17, i%100)
		}},
		{"text_word_count", 0, 8, func(c *StreamConfig) {
			c.Decode, c.FlatMap, c.GroupBy = "text", conf.Pairs{{Key: "word", Value: `split(value, " ")`}}, conf.Pairs{{Key: "w", Value: "word"}}
			c.Window, c.Aggregate = "tumbling 3s", aggregates("count()")
		}, func(i int) (string, string) {
			text := words[i%len(words)]
			for k := 1; k < 8; k++ {
				text += " " + words[(i+k*k)%len(words)]
			}
			return "lines", text
		}},
		{"number_p99", 0, 1, func(c *StreamConfig) { c.Decode, c.Aggregate = "number", aggregates("p99(value)") }, numberMessage},
		{"number_10000_groups", 0, 1, func(c *StreamConfig) {
			c.Decode, c.GroupBy, c.Aggregate = "number", conf.Pairs{{Key: "device", Value: "topic[1]"}}, aggregates("avg(value)")
			c.MaxGroups, c.Window = 10_000, "tumbling 1m"
		}, func(i int) (string, string) { return fmt.Sprintf("site/%d/gpio/1", i), fmt.Sprintf("%d.5", i%50) }},
		{"number_by_topic", 0, 1, func(c *StreamConfig) {
			c.Decode, c.GroupBy, c.Aggregate = "number", conf.Pairs{{Key: "site", Value: "topic[1]"}, {Key: "pin", Value: "topic[3]"}}, aggregates("avg(value)")
		}, numberMessage},
		{"number_sliding_1m_every_1s", 0, 1, func(c *StreamConfig) {
			c.Decode, c.Window, c.Aggregate = "number", "sliding 1m every 1s", aggregates("avg(value)")
		}, numberMessage},
	}
}

// ring is a store whose log has no end: prepared blocks come round again, each time later. What is committed is let go.
type ring struct {
	*memStore
	blocks []*edged.Block
	end    uint64
	still  bool // time stands still
}

func (r *ring) End() uint64                                       { return r.end }
func (r *ring) Commit(context.Context, *edged.Update, bool) error { return nil }

func (r *ring) Next(seq uint64) (edged.Entry, bool, error) {
	b := r.blocks[seq%uint64(len(r.blocks))]
	if !r.still {
		late := 1000*sec + int64(seq)*int64(benchInterval) - b.Arrival[0]
		for i := range b.Arrival {
			b.Arrival[i] += late
		}
		b.Cut.Wall += late
	}
	b.Seq = seq
	return edged.Entry{Seq: seq, Block: b}, true, nil
}

// start begins the stream on a ring.
func (x *benched) start(t testing.TB) (*Stream, *ring) {
	c := DefaultStream()
	c.Name, c.From, c.Topics, c.Window, c.Sinks = "bench", []string{"a"}, []string{"#"}, "tumbling 10s", []string{"x"}
	x.config(c)
	p := mustPlan(t, c)
	r := &ring{memStore: newMemStore(p), end: 1}
	for k := range benchBlocks {
		var msgs []msg
		for i := range benchMessages {
			topic, payload := x.message(k*benchMessages + i)
			msgs = append(msgs, msg{topic, payload, 1000*sec + int64(i)*int64(benchInterval)/benchMessages})
		}
		r.blocks = append(r.blocks, blockOf("a", edged.Instant{Wall: 1000*sec + int64(benchInterval)}, msgs...))
	}
	s := New(Options{Config: c, Plan: p, Store: r, Log: nil, Interval: time.Second, Checkpoint: time.Hour})
	if err := s.open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s, r
}

// once takes the next block, as a step does.
func (r *ring) once(t testing.TB, s *Stream) {
	if s.report.messages == nil {
		s.beginReport()
	}
	r.end = s.rec.applied + 1
	blocks, err := s.take(r.end)
	if err == nil {
		err = s.settle(context.Background(), blocks)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// processorTime is what the process has had of the processors, its memory's cleaning included: other work on the machine does not count.
func processorTime(t testing.TB) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkStreams(b *testing.B) {
	for _, x := range benchedStreams() {
		b.Run(x.name, func(b *testing.B) {
			s, r := x.start(b)
			for range 2 * benchBlocks {
				r.once(b, s)
			}
			before := s.rec.Counts
			var from, to runtime.MemStats
			runtime.ReadMemStats(&from)
			n, began := 0, processorTime(b)
			for b.Loop() {
				r.once(b, s)
				n++
			}
			took := processorTime(b) - began
			runtime.ReadMemStats(&to)
			if got := s.rec.Applied - before.Applied; got != uint64(n*benchMessages) || s.rec.Dead+s.rec.Dropped > 0 {
				b.Fatalf("%d of %d messages applied: %+v", got, n*benchMessages, s.rec.Counts)
			}
			rows := float64(n * benchMessages * x.rows)
			b.ReportMetric(float64(took)/rows, "ns/row")
			b.ReportMetric(float64(to.Mallocs-from.Mallocs)/rows, "allocs/row")
			b.ReportMetric(x.goal, "goal-ns/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}

package batches

import (
	"fmt"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
)

// BenchmarkRaw is what a row of a stream without a window costs until a sink has it in its hands: the stream's own pass, and its delivery's.
func BenchmarkRaw(b *testing.B) {
	for _, size := range []int{66, 1024} {
		x := benched{rows: 1, config: func(c *StreamConfig) { c.Window, c.Aggregate = "", conf.Pairs{} }, message: func(i int) (string, string) {
			text := fmt.Sprintf(`{"pin":%d,"value":%d.5,"ts":1731970000123,"seq":%d`, i%8, i%100, 1234567+i)
			return fmt.Sprintf("site/%d/gpio/%d", i/8%50+1, i%8), text + `,"note":"` + strings.Repeat("n", size-len(text)-11) + `"}`
		}}
		perRow := func(b *testing.B, rows int, began int64) {
			b.ReportMetric(float64(processorTime(b)-began)/float64(rows), "ns/row")
			b.ReportMetric(0, "ns/op")
		}
		b.Run(fmt.Sprint("pass-", size), func(b *testing.B) {
			s, r := x.start(b)
			n, began := 0, processorTime(b)
			for b.Loop() {
				r.once(b, s)
				n++
			}
			if s.rec.Dead > 0 {
				b.Fatal(s.rec.Counts)
			}
			perRow(b, n*benchMessages, began)
		})
		b.Run(fmt.Sprint("delivery-", size), func(b *testing.B) {
			s, r := x.start(b)
			for range 500 {
				r.once(b, s)
			}
			s.show(true)
			from, until := edged.Place{Pos: edged.Pos{Seq: 100}}, edged.Place{Pos: edged.Pos{Seq: 160}}
			f := s.Feed()
			limits := edged.Limits{Rows: 50_000, Bytes: 64 << 20}
			n, began := 0, processorTime(b)
			b.ReportAllocs()
			for b.Loop() {
				got, err := f.Read(from, until, limits)
				if err != nil || got.To != until {
					b.Fatal(got.To, err)
				}
				limits.Into, n = got.Rows, n+got.Rows.Len()
			}
			perRow(b, n, began)
		})
	}
}

package file

import (
	"testing"
	"time"

	"edged"
)

// BenchmarkFileWrite delivers turns of 10,000 raw rows to a file, its syncs included.
func BenchmarkFileWrite(b *testing.B) {
	const rows = 10000
	r := &edged.Rows{Stream: "raw", Names: []string{"time", "topic", "payload"}}
	for i := range rows {
		r.Cells = append(r.Cells, edged.TimeValue(time.Date(2026, 11, 20, 10, 0, 0, i, time.UTC).UnixNano()), edged.TextValue("site/1/gpio/1"),
			edged.JSONValue(`{"pin":1,"value":23.5,"ts":1731970000123,"seq":1234567,"conn":4}`))
		r.At = append(r.At, edged.Pos{Seq: uint64(i)})
	}
	c := Default()
	c.Path = "raw.ndjson"
	env := quiet()
	env.DataDir = b.TempDir()
	s := c.New(env)
	if err := s.Open(b.Context(), nil, nil); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		turn := []edged.Delivery{{Key: "k", Rows: r}}
		for len(turn) > 0 {
			done, _, err := s.Write(b.Context(), turn)
			if err != nil {
				b.Fatal(err)
			}
			turn = turn[done:]
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

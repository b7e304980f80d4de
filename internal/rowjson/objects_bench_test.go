package rowjson

import (
	"fmt"
	"testing"

	"edged"
)

// BenchmarkRawRow is what a line of a raw file costs: rows of a stream without a window, of messages that came eighty at a time.
func BenchmarkRawRow(b *testing.B) {
	rows := &edged.Rows{Stream: "raw", Names: []string{"time", "topic", "payload", "epoch", "clock_trusted"}}
	for i := range 4096 {
		rows.At = append(rows.At, edged.Pos{Seq: 1, Off: uint32(i)})
		rows.Cells = append(rows.Cells,
			edged.TimeValue(1731970000123456789+int64(i)/80*312345), edged.TextValue(fmt.Sprintf("site/%d/gpio/%d", i/80, i%8)),
			edged.JSONValue(fmt.Sprintf(`{"pin":%d,"value":%d.%d,"ts":%d,"seq":%d,"conn":%d}`, i%8, i%100, i%10, 1731970000123+int64(i)/80, i, i/80)), edged.Value{}, edged.Value{})
	}
	var o Objects
	o.Reset(rows)
	buf := make([]byte, 0, 1024)
	b.SetBytes(int64(len(o.Append(buf, 0))))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buf = o.Append(buf[:0], i&4095)
	}
}

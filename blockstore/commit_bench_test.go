package blockstore

import (
	"fmt"
	"os"
	"testing"
)

// BenchmarkCommit is a commit of one block of so many readings, when the log has many: what one publisher waits for who stands still. The disk is that of the temporary directory.
func BenchmarkCommit(b *testing.B) {
	for _, readings := range []int{1, 100} {
		b.Run(fmt.Sprint(readings), func(b *testing.B) {
			dir, err := os.MkdirTemp("", "edged-commit-")
			if err != nil {
				b.Fatal(err)
			}
			defer os.RemoveAll(dir)
			s := open(b, dir, nil)
			defer closeStore(b, s)
			f := &feed{name: "r"}
			s.AddSource("r", MemoryAndDisk, f)
			var texts []string
			for i := range readings {
				texts = append(texts, fmt.Sprintf(`{"device":"d%02d","pin":%d,"value":%d.%d,"ts":%d}`, i%50, i%8, i, i, 1700000000+i))
			}
			for range 2000 {
				f.put(nil, texts...)
				step(b, s)
			}
			b.ReportAllocs()
			for b.Loop() {
				f.put(nil, texts...)
				step(b, s)
			}
		})
	}
}

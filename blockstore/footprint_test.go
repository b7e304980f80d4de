package blockstore

import (
	"fmt"
	"testing"

	"edged"
)

// What a log is said to hold is what it takes of the file, however long its entries are: a delivery whose max_pending is less than the store's room is at its
// bound before the store is full.
func TestWhatIsHeldIsBytesOfTheFile(t *testing.T) {
	for _, size := range []int{1, 200, 700, 1000, 4000, 5000, 20_000} {
		for _, log := range []string{"", "results"} {
			t.Run(fmt.Sprint(size, " bytes", log), func(t *testing.T) {
				s := open(t, t.TempDir(), nil)
				defer closeStore(t, s)
				f := &feed{name: "r"}
				s.AddSource("r", MemoryAndDisk, f)
				text := noise(size)
				put := func() {
					if log == "" {
						f.put(nil, text)
					} else {
						s.Submit(&edged.Update{Results: []edged.Result{{Stream: log, Rows: 1, Data: []byte(text)}}}, false, func(error) {})
					}
					step(t, s)
				}
				hold := []edged.Cursor{{Name: "all", Need: edged.SpansFrom(0)}, {Name: "results", Log: "results", Need: edged.SpansFrom(0)}}
				s.Submit(&edged.Update{Cursors: hold}, false, func(error) {})
				put()
				used, held := s.measure().Used, s.Pending(log, edged.SpansFrom(0))
				for range 1000 {
					put()
				}
				used, held = s.measure().Used-used, s.Pending(log, edged.SpansFrom(0))-held
				if r := float64(held) / float64(used); r < 0.8 || r > 1.25 {
					t.Errorf("%d bytes are said to be held, and %d of the file are used: %.2f", held, used, r)
				}
			})
		}
	}
}

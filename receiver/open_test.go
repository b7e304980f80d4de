package receiver

import (
	"strings"
	"testing"

	"edged"
)

// A small block behind a large one does not hold what the large one needed: blocks stay in a cache that counts their size.
func TestABlockHoldsWhatItSays(t *testing.T) {
	var o openBlock
	held := func(messages int) (held, says int64) {
		o.begin("r", 0)
		for range messages {
			o.add(&edged.Message{Topic: "site/1", Payload: []byte(strings.Repeat("x", 100))}, 1)
		}
		b, _, _ := o.cut(edged.Instant{Wall: 2}, true)
		return int64(cap(b.Data) + cap(b.Flags) + 4*cap(b.Topic) + 4*cap(b.End) + 8*cap(b.Arrival) + 16*cap(b.Topics)), b.Size()
	}
	for _, n := range []int{1000, 1, 1, 500, 3} {
		if h, s := held(n); h > 2*s+1000 {
			t.Errorf("a block of %d messages holds %d bytes and says %d", n, h, s)
		}
	}
}

package receiver

import (
	"edged/internal/lately"
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

// The columns of large blocks are used again, whatever small blocks stand between them, and given back when they are over.
func TestTheMemoryOfLargeBlocksIsUsedAgain(t *testing.T) {
	var o openBlock
	m := &edged.Message{Topic: "site/1", Payload: []byte(strings.Repeat("x", 100))}
	grown := 0
	block := func(messages int) {
		o.begin("r", 0)
		for range messages {
			room := cap(o.b.Data) - len(o.b.Data)
			o.add(m, 1)
			if room < len(m.Payload) {
				grown++
			}
		}
		o.cut(edged.Instant{Wall: 2}, true)
	}
	for range 3 * lately.Rounds {
		block(5000)
		block(1)
		block(1)
	}
	if grown > 30 {
		t.Errorf("the column of the payloads grew %d times", grown)
	}
	for range 2 * lately.Rounds {
		block(1)
	}
	if c := &o.columns; cap(c.data) > 10_000 || cap(c.arrival) > 10_000 {
		t.Errorf("after the burst %d bytes of payloads and %d messages have room", cap(c.data), cap(c.arrival))
	}
}

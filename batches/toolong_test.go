package batches

import (
	"fmt"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
)

// What a group would have to hold and is too long is a dead letter; the group and the others go on, and everything is counted.
func TestWhatAGroupHoldsIsBounded(t *testing.T) {
	c := pinsConfig()
	c.Aggregate = append(c.Aggregate, conf.Pair{Key: "last", Value: "last(note)"})
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	var msgs []msg
	for _, n := range []int{3, maxText - 100, maxText + 1, 40 << 10, 200 << 10} {
		long := strings.Repeat("x", n)
		msgs = append(msgs, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"kind":%q,"note":"a"}`, long), 1000 * sec}, msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"kind":"k","note":%q}`, long), 1000 * sec})
	}
	m.addBlock(blockOf("a", edged.Instant{Wall: 1001 * sec}, msgs...))
	step(t, s)
	if s.rec.Applied != 4 || s.rec.Dead != 6 || len(m.results[edged.DeadLetters]) != 6 || s.st.count() != 3 {
		t.Errorf("%+v, %d dead letters, %d groups: want 4 applied, 6 dead, 3 groups", s.rec.Counts, len(m.results[edged.DeadLetters]), s.st.count())
	}
}

package batches

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

// The router counts what the streams take, message by message, whatever they have in common.
func TestTheRouterCountsWhatStreamsTake(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "b", "c"})
	rapid.Check(t, func(t *rapid.T) {
		var plans []*Plan
		for i := range rapid.IntRange(1, 5).Draw(t, "streams") {
			c := pinsConfig()
			c.Name, c.From = fmt.Sprint("s", i), rapid.SampledFrom([][]string{{"a"}, {"b"}, {"a", "b"}}).Draw(t, "from")
			c.Topics = rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
				f := rapid.SliceOfN(rapid.OneOf(level, rapid.Just("+")), 1, 3).Draw(t, "levels")
				if rapid.Bool().Draw(t, "hash") {
					f = append(f, "#")
				}
				return strings.Join(f, "/")
			}), 0, 3, rapid.ID).Draw(t, "filters")
			plans = append(plans, mustPlan(t, c))
		}
		r := NewRouter(plans)
		for range 2 {
			b := &edged.Block{Receiver: rapid.SampledFrom([]string{"a", "b", "other"}).Draw(t, "receiver")}
			b.Topics = rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
				return strings.Join(rapid.SliceOfN(level, 1, 3).Draw(t, "levels"), "/")
			}), 1, 10, rapid.ID).Draw(t, "topics")
			for _, k := range rapid.SliceOf(rapid.IntRange(0, len(b.Topics)-1)).Draw(t, "messages") {
				b.Topic = append(b.Topic, uint32(k))
			}
			want, got := map[string]uint64{}, map[string]uint64{}
			for i := range b.Topic {
				for _, p := range plans {
					if p.Takes(b.Receiver, b.TopicOf(i)) {
						want[p.Name]++
					}
				}
			}
			r.Count(b, func(stream string, messages uint64) { got[stream] += messages })
			if !maps.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}

package batches

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/internal/lately"
	"edged/internal/rowcodec"
	"edged/internal/topic"

	"pgregory.net/rapid"
)

// oneOfEach is a block with one message to each topic.
func oneOfEach(topics []string) *edged.Block {
	b := &edged.Block{Receiver: "a", Topics: topics}
	for i := range topics {
		b.Topic, b.Arrival, b.Flags = append(b.Topic, uint32(i)), append(b.Arrival, 0), append(b.Flags, 0)
		b.Data = append(b.Data, `{"value":1}`...)
		b.End = append(b.End, uint32(len(b.Data)))
	}
	return b
}

func byLevels(filters ...string) *StreamConfig {
	c := pinsConfig()
	c.Topics, c.Where, c.GroupBy = filters, "", conf.Pairs{{Key: "device", Value: "topic[1]"}, {Key: "pin", Value: "topic[3]"}}
	return c
}

// What a topic means is what its filters and its levels say, whatever the blocks before had.
func TestTopicsAgainstTheDefinition(t *testing.T) {
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"site", "1", "22", "gpio", "", "ä"}), 1, 4).Draw(t, "levels"), "/")
	}).Filter(func(s string) bool { return s != "" })
	for _, filters := range [][]string{{"site/#"}, {"site/1/#", "+/22/gpio/+", "1/#", "ä/+", "22", "/#"}} { // looked through, and in a tree
		r := newRowReader(mustPlan(t, byLevels(filters...)))
		rapid.Check(t, func(t *rapid.T) {
			b := oneOfEach(rapid.SliceOfNDistinct(name, 0, 20, rapid.ID).Draw(t, "topics"))
			defer r.letGo()
			for _, i := range rapid.SliceOf(rapid.IntRange(0, 19)).Draw(t, "messages") {
				if i >= b.Len() {
					continue
				}
				name := b.Topics[i]
				taken := slices.ContainsFunc(filters, func(f string) bool { return topic.Match(f, name) })
				if v := r.begin(b, i); (v == good) != taken {
					t.Fatalf("%q: %v", name, v)
				}
				want := []edged.Value{edged.TextValue(topic.Level(name, 1)), edged.TextValue(topic.Level(name, 3))}
				var key []byte
				for _, v := range want {
					key = rowcodec.AppendValue(key, v)
				}
				if in := (arrived{reader: r}); taken && (string(r.group()) != string(key) || !slices.Equal(in.values(), want)) {
					t.Fatalf("%q: %q and %v, want %q", name, r.group(), in.values(), key)
				}
			}
		})
	}
}

// However many topics there were, a reader takes the memory of those of its latest blocks.
func TestTopicsTakeTheMemoryOfABlock(t *testing.T) {
	r := newRowReader(mustPlan(t, byLevels("site/#")))
	read := func(block, n int) {
		var topics []string
		for i := range n {
			topics = append(topics, fmt.Sprintf("site/%d/gpio/%d", block, i))
		}
		b := oneOfEach(topics)
		for i := range n {
			if r.begin(b, i) != good {
				t.Fatal(r.reason)
			}
		}
		r.letGo()
	}
	size := func() int { return 12*cap(r.topics.infos) + cap(r.topics.keys) }
	for block := range 100 {
		read(block, 2000)
	}
	if n := size(); n > 200_000 {
		t.Errorf("%d bytes for 2000 topics", n)
	}
	for block := range 2 * lately.Rounds {
		read(block, 1)
	}
	if n := size(); n > 40_000 {
		t.Errorf("%d bytes for one topic", n)
	}
}

package batches

import (
	"fmt"
	"slices"
	"testing"

	"edged"
	"edged/test/await"

	"pgregory.net/rapid"
)

// What is grouped by topics comes out as if it were grouped by what the payloads say: also where topics come again and again in a block whose rows are
// of several windows, to and fro, and where there is no room for all groups.
func TestTopicsFindTheirGroups(t *testing.T) {
	again := 0
	await.Luck(t, func() bool { return again > 0 }, func(t *rapid.T) {
		var log []edged.Entry
		at := 1000 * sec
		for range rapid.IntRange(1, 6).Draw(t, "blocks") {
			var msgs []msg
			for range rapid.IntRange(1, 40).Draw(t, "messages") {
				at += rapid.SampledFrom([]int64{0, 0, 0, 1, 7}).Draw(t, "gap") * sec / 10
				device, pin := rapid.IntRange(1, 4).Draw(t, "device"), rapid.IntRange(1, 2).Draw(t, "pin")
				ts := at/1e6 - rapid.SampledFrom([]int64{0, 0, 0, 900, 3000}).Draw(t, "before")
				msgs = append(msgs, msg{fmt.Sprintf("site/%d/gpio/%d", device, pin), fmt.Sprintf(`{"value":1,"device":"%d","ts":%d}`, device, ts), at})
			}
			log = append(log, edged.Entry{Block: blockOf("a", edged.Instant{Wall: at + 1}, msgs...)})
		}
		config := byDevice(rapid.SampledFrom([]string{"tumbling 1s", "sliding 2s every 1s"}).Draw(t, "window"))
		config.MaxGroups = rapid.SampledFrom([]int{2, 100}).Draw(t, "groups")
		config.Time = rapid.SampledFrom([]string{"arrival", "ts"}).Draw(t, "time")
		byPayload := *config
		byPayload.GroupBy = slices.Clone(config.GroupBy)
		byPayload.GroupBy[0].Value = "device"
		got, want := allGiven(t, run(t, config, log)), allGiven(t, run(t, &byPayload, log))
		if !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		for _, g := range got {
			if g.n > 3 {
				again++
			}
		}
	})
	if again == 0 {
		t.Error("no topic came again")
	}
}

// However many topics a block has, little is kept of it.
func TestFoundGroupsAreForgotten(t *testing.T) {
	c := byDevice("tumbling 10s")
	p := mustPlan(t, c)
	s := newStream(c, p, newMemStore(p))
	open(t, s)
	for _, many := range []int{10, 100_000} {
		s.apply(&edged.Entry{Seq: 1, Block: devices(0, many, 1000*sec)})
		if f := s.st.(*panes).found; f.block != nil || f.pane != nil || len(f.groups) > 0 || cap(f.groups) > maxFound {
			t.Errorf("after a block of %d topics: %d groups, room for %d", many, len(f.groups), cap(f.groups))
		}
	}
}

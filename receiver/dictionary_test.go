package receiver

import (
	"edged/internal/lately"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A dictionary numbers topics as a map would, in any order of them and for block after block.
func TestADictionaryAgainstAMap(t *testing.T) {
	name := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprint(strings.Repeat("long/", rapid.SampledFrom([]int{0, 0, 1, 300}).Draw(t, "long")), rapid.IntRange(0, 300).Draw(t, "n"))
	})
	rapid.Check(t, func(t *rapid.T) {
		var d dictionary
		for range rapid.IntRange(1, 5).Draw(t, "blocks") {
			d.begin()
			known := map[string]uint32{}
			var names []string
			for _, n := range rapid.SliceOfN(name, 0, 400).Draw(t, "names") {
				want, ok := known[n]
				if !ok {
					want = uint32(len(names))
					known[n], names = want, append(names, n)
				}
				if got, isNew := d.number(n); got != want || isNew == ok {
					t.Fatalf("%.40q is %d, new: %t; want %d", n, got, isNew, want)
				}
			}
			if got := d.topics(); !slices.Equal(got, names) {
				t.Fatalf("%q, want %q", got, names)
			}
		}
	})
}

// What a dictionary takes goes with the topics of its latest blocks, not with all that there ever were.
func TestADictionaryIsAsLargeAsItsBlocks(t *testing.T) {
	var d dictionary
	size := func() int { return 4*(len(d.slots)+cap(d.hashes)+cap(d.ends)) + cap(d.text) }
	fill := func(block, n int) {
		d.begin()
		for i := range n {
			d.number(fmt.Sprint("site/", block, "/gpio/", i))
		}
	}
	for block := range 100 {
		fill(block, 1000)
	}
	large := size()
	if large > 64*1000 {
		t.Errorf("%d bytes for 1000 topics", large)
	}
	for block := range 10 { // small ones among large ones
		fill(block, 1)
	}
	if size() < large {
		t.Error("it grows anew for each large block")
	}
	for block := range 2 * lately.Rounds {
		fill(block, 1)
	}
	if n := size(); n > 16<<10 {
		t.Errorf("%d bytes for one topic", n)
	}
}

func BenchmarkDictionary(b *testing.B) {
	for _, topics := range []int{10, 10_000} {
		b.Run(fmt.Sprint(topics), func(b *testing.B) {
			names := make([]string, topics)
			for i := range names {
				names[i] = fmt.Sprint("site/7/gpio/", i)
			}
			var d dictionary
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%10_000 == 0 {
					d.begin()
				}
				d.number(names[i%topics])
			}
		})
	}
}

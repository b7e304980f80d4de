package gpio

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDebounceAgainstTheWholeSignal compares debounce, which sees one edge after the other, with a model that looks at
// the whole signal: trains of edges less than quiet apart are one change each, from the value before the train to the
// value after it, at the time of its first edge; a train that ends where it began is none.
func TestDebounceAgainstTheWholeSignal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		quiet := time.Duration(rapid.IntRange(0, 5).Draw(rt, "quiet")) * time.Millisecond
		gaps := rapid.SliceOf(rapid.IntRange(1, 10)).Draw(rt, "gaps")
		start := time.Unix(0, 0)

		type signal struct {
			at    time.Time
			value float64
		}
		var edges []signal
		at, value := start, 0.0
		for _, gap := range gaps {
			at, value = at.Add(time.Duration(gap)*time.Millisecond), 1-value
			edges = append(edges, signal{at, value})
		}

		var want []change
		var wantBounces uint64
		settled := 0.0
		for i := 0; i < len(edges); {
			j := i + 1
			for j < len(edges) && edges[j].at.Sub(edges[j-1].at) < quiet {
				j++
			}
			final := edges[j-1].value
			if final != settled || quiet == 0 {
				want = append(want, change{final, edgeOf(settled, final), edges[i].at})
				wantBounces += uint64(j - i - 1)
			} else {
				wantBounces += uint64(j - i)
			}
			settled, i = final, j
		}

		d := debounce{quiet: quiet}
		var got []change
		var bounces uint64
		settle := func(now time.Time) {
			c, counts, n := d.settle(now)
			if counts {
				got = append(got, c)
			}
			bounces += n
		}
		next := 0
		for now := start; !now.After(at.Add(quiet)); now = now.Add(time.Millisecond) {
			settle(now)
			if next < len(edges) && edges[next].at.Equal(now) {
				d.saw(edges[next].value, now)
				settle(now)
				next++
			}
		}
		if len(got) != len(want) || bounces != wantBounces {
			rt.Fatalf("changes %v, want %v; bounces %d, want %d", got, want, bounces, wantBounces)
		}
		for i := range got {
			if got[i] != want[i] {
				rt.Fatalf("change %d: %v, want %v", i, got[i], want[i])
			}
		}
	})
}

package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"edged/internal/topic"

	"pgregory.net/rapid"
)

// Match agrees with the definition of matching (internal/topic) for any set of filters, also after some were removed.
func TestMatchAgreesWithTheDefinition(t *testing.T) {
	levels := rapid.SampledFrom([]string{"a", "b", "", "$x"})
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(levels, 1, 4).Draw(t, "levels"), "/")
		}).Filter(func(s string) bool { return s != "" })
		filter := rapid.Custom(func(t *rapid.T) string {
			f := rapid.SliceOfN(rapid.OneOf(levels, rapid.Just("+")), 0, 3).Draw(t, "levels")
			if rapid.Bool().Draw(t, "hash") {
				f = append(f, "#")
			}
			return strings.Join(f, "/")
		}).Filter(func(s string) bool { return s != "" })
		x := New[int]()
		filters := rapid.SliceOfN(filter, 1, 8).Draw(t, "filters")
		shared := rapid.SliceOfN(rapid.Bool(), len(filters), len(filters)).Draw(t, "shared")
		keys := make([]Key, len(filters))
		full := func(i int) string {
			if shared[i] {
				return fmt.Sprintf("$share/g%d/%s", i%2, filters[i])
			}
			return filters[i]
		}
		for i := range filters {
			keys[i] = x.Add(full(i), i)
		}
		gone := rapid.SliceOfN(rapid.Bool(), len(filters), len(filters)).Draw(t, "gone")
		for i := range filters {
			if gone[i] {
				x.Remove(full(i), keys[i])
			}
		}
		for _, n := range rapid.SliceOfN(name, 1, 8).Draw(t, "names") {
			single, groups := x.Match(n)
			for _, members := range groups {
				for _, m := range members {
					if full(m) != full(members[0]) {
						t.Fatalf("topic %q: a group has %q and %q", n, full(members[0]), full(m))
					}
				}
			}
			for i, f := range filters {
				want := topic.Match(f, n) && !gone[i]
				if have := slices.Contains(single, i); have != (want && !shared[i]) {
					t.Fatalf("filter %q, topic %q: %v", full(i), n, have)
				}
				in := false
				for _, members := range groups {
					in = in || slices.Contains(members, i)
				}
				if in != (want && shared[i]) {
					t.Fatalf("filter %q, topic %q: shared %v", full(i), n, in)
				}
			}
		}
	})
}

func TestNothingIsLeftOfWhatWasRemoved(t *testing.T) {
	x := New[int]()
	k := x.Add("a/b/+/#", 1)
	x.Remove("a/b/+/#", k)
	if single, shared := x.Match("a/b/c"); len(single)+len(shared)+len(x.byKey) > 0 {
		t.Errorf("%v %v %v", single, shared, x.byKey)
	}
}

package topic

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// byTheLevels is the definition of a match, level by level.
func byTheLevels(filter, name string) bool {
	if name[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	f, n := strings.Split(filter, "/"), strings.Split(name, "/")
	for i, level := range f {
		switch {
		case level == "#":
			return i <= len(n)
		case i >= len(n) || level != "+" && level != n[i]:
			return false
		}
	}
	return len(f) == len(n)
}

func anyName(levels ...string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(levels), 1, 5).Draw(t, "levels"), "/")
	}).Filter(func(s string) bool { return s != "" })
}

func anyFilter(levels ...string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		f := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(levels), rapid.Just("+")), 0, 4).Draw(t, "levels")
		if rapid.Bool().Draw(t, "hash") {
			f = append(f, "#")
		}
		return strings.Join(f, "/")
	}).Filter(func(s string) bool { return s != "" })
}

func TestMatchIsByTheLevels(t *testing.T) {
	levels := []string{"a", "ab", "b", "", "$x"}
	rapid.Check(t, func(t *rapid.T) {
		filter, name := anyFilter(levels...).Draw(t, "filter"), anyName(levels...).Draw(t, "name")
		if got, want := Match(filter, name), byTheLevels(filter, name); got != want {
			t.Fatalf("Match(%q, %q) = %t", filter, name, got)
		}
	})
}

// A tree finds what matches, whatever was added and removed before; and nothing stays of what was removed.
func TestATreeFindsWhatMatches(t *testing.T) {
	levels := []string{"a", "b", "c", "d", "e", "f", "g", "h", "", "$x"} // more than are looked through
	rapid.Check(t, func(t *rapid.T) {
		var tree Tree[int]
		var filters []string
		there := map[int]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				filters = append(filters, anyFilter(levels...).Draw(t, "filter"))
				tree.Add(filters[len(filters)-1], len(filters)-1)
				there[len(filters)-1] = true
			},
			"remove": func(t *rapid.T) {
				if len(filters) == 0 {
					t.Skip()
				}
				v := rapid.IntRange(0, len(filters)-1).Draw(t, "value")
				tree.Remove(filters[v], v)
				tree.Remove(anyFilter(levels...).Draw(t, "another"), -1) // is not there
				delete(there, v)
			},
			"": func(t *rapid.T) {
				name := anyName(levels...).Draw(t, "name")
				got, want := tree.Append(nil, name), []int(nil)
				for v := range there {
					if byTheLevels(filters[v], name) {
						want = append(want, v)
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("%q: %v, want %v of %q", name, got, want, filters)
				}
				if len(there) == 0 && !tree.root.empty() {
					t.Fatalf("nothing is in it, and it holds %+v", tree.root)
				}
			},
		})
	})
}

func TestATreeAllocatesNothing(t *testing.T) {
	var tree Tree[int]
	for i := range 1000 {
		tree.Add(fmt.Sprintf("site/%d/+/x/#", i), i)
	}
	found := make([]int, 0, 10)
	if n := testing.AllocsPerRun(100, func() {
		if found = tree.Append(found[:0], "site/77/gpio/x/3"); len(found) != 1 || found[0] != 77 {
			t.Fatal(found)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	for b.Loop() {
		if !Match("site/#", "site/7/gpio/1234") || !Match("site/+/gpio/+", "site/7/gpio/1234") {
			b.Fatal("no match")
		}
	}
}

func BenchmarkTree(b *testing.B) {
	for _, filters := range []int{0, 1000} {
		b.Run(fmt.Sprint(2+filters, " filters"), func(b *testing.B) {
			var tree Tree[int]
			tree.Add("site/#", 1)
			tree.Add("site/+/gpio/+", 2)
			for i := range filters {
				tree.Add(fmt.Sprintf("site/%d/x/#", i+100), i)
			}
			var found []int
			for b.Loop() {
				if found = tree.Append(found[:0], "site/7/gpio/1234"); len(found) != 2 {
					b.Fatal(found)
				}
			}
		})
	}
}

func TestFiltersMatchIfOneDoes(t *testing.T) {
	levels := []string{"a", "b", "", "$x"}
	rapid.Check(t, func(t *rapid.T) {
		filters, name := rapid.SliceOfN(anyFilter(levels...), 0, 2*fewFilters).Draw(t, "filters"), anyName(levels...).Draw(t, "name")
		f := NewFilters(filters)
		want := slices.ContainsFunc(filters, func(f string) bool { return byTheLevels(f, name) })
		if f.Match(name) != want {
			t.Fatalf("%q, %q: %t", filters, name, !want)
		}
		if n := testing.AllocsPerRun(1, func() { f.Match(name) }); n > 0 {
			t.Fatalf("%v allocations", n)
		}
	})
}

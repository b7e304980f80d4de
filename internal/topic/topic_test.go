package topic

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMatchAsTheStandardSays(t *testing.T) {
	for _, c := range []struct {
		filter, name string
		want         bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/b/c", false}, {"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "ab", false},
		{"#", "a", true}, {"#", "/", true}, {"#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/x", true},
		{"+", "a", true}, {"+", "/a", false}, {"+/+", "/a", true}, {"/+", "/a", true}, {"a/+", "a", false}, {"a/+", "a/", true},
		{"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false}, {"a/+/#", "a", false}, {"a/+/#", "a/b", true},
	} {
		if got := Match(c.filter, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %t", c.filter, c.name, got)
		}
	}
}

func TestFiltersAreChecked(t *testing.T) {
	for _, bad := range []string{"", "a#", "a/#/b", "a+", "+a/b", "a\x00", "a/\xff", strings.Repeat("x", 65536)} {
		if CheckFilter(bad) == nil {
			t.Errorf("CheckFilter(%.20q) found nothing", bad)
		}
	}
	for _, good := range []string{"#", "+", "/", "a/+/b/#", "$SYS/#", "a//b"} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("CheckFilter(%q): %v", good, err)
		}
	}
	if CheckName("a/+") == nil || CheckName("a/b") != nil {
		t.Error("CheckName")
	}
}

func TestLevel(t *testing.T) {
	for i, want := range []string{"site", "7", "", "3", "", ""} {
		if got := Level("site/7//3", i); got != want {
			t.Errorf("level %d = %q, want %q", i, got, want)
		}
	}
}

func TestCoversAgreesWithMatch(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "b", "", "$x"})
	filter := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "+", "$x"}), 1, 4).Draw(t, "parts")
		f := strings.Join(parts, "/")
		if rapid.Bool().Draw(t, "hash") {
			f += "/#"
		}
		if rapid.IntRange(0, 9).Draw(t, "all") == 0 {
			f = "#"
		}
		if f == "" {
			f = "a"
		}
		return f
	})
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow := filter.Draw(t, "wide"), filter.Draw(t, "narrow")
		name := strings.Join(rapid.SliceOfN(level, 1, 5).Draw(t, "name"), "/")
		if name == "" {
			return
		}
		if Covers(wide, narrow) && Match(narrow, name) && !Match(wide, name) {
			t.Fatalf("Covers(%q, %q), but %q matches only the narrow one", wide, narrow, name)
		}
	})
}

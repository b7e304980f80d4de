package passwd

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEdits(t *testing.T) {
	for _, c := range []struct{ name, before, set, deleted string }{
		{"an empty file", "", "u:NEW\n", ""},
		{"another user, no line break", "a:1", "a:1\nu:NEW\n", "a:1"},
		{"in its place", "# c\n\na:1\nu:old\nb:2\n", "# c\n\na:1\nu:NEW\nb:2\n", "# c\n\na:1\nb:2\n"},
		{"twice", "u:1\na:1\n u : 2\n", "u:NEW\na:1\n", "a:1\n"},
		{"the last line, no line break", "a:1\nu:1", "a:1\nu:NEW\n", "a:1\n"},
		{"plain text", "u:plain\n", "u:NEW\n", ""},
		{"a comment like it", "#u:1\n", "#u:1\nu:NEW\n", "#u:1\n"},
		{"DOS line breaks of others", "a:1\r\nu:1\r\nb:2\r\n", "a:1\r\nu:NEW\nb:2\r\n", "a:1\r\nb:2\r\n"},
		{"a longer name", "uu:1\nu\n", "uu:1\nu\nu:NEW\n", "uu:1\nu\n"},
	} {
		if got := string(Set([]byte(c.before), "u", "u:NEW")); got != c.set {
			t.Errorf("%s: Set gives %q, want %q", c.name, got, c.set)
		}
		got, was := Delete([]byte(c.before), "u")
		if string(got) != c.deleted || was != (c.deleted != c.before) {
			t.Errorf("%s: Delete gives %q, %t, want %q", c.name, got, was, c.deleted)
		}
	}
}

func TestEditsLeaveTheRest(t *testing.T) {
	line := rapid.SampledFrom([]string{"# a comment", "", "a:" + aLine, "b:" + aLine, "u:" + aLine, "u:plain", "nothing", "  u :x", "#u:y"})
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(line, 0, 8).Draw(t, "lines")
		rest := func(text string) string { // without the lines of u
			var keep []string
			for l := range strings.Lines(text) {
				if name, _, found := strings.Cut(strings.TrimSpace(l), ":"); !found || strings.TrimSpace(name) != "u" {
					keep = append(keep, strings.TrimSuffix(l, "\n"))
				}
			}
			return strings.Join(keep, "\n")
		}
		text := strings.Join(lines, "\n")
		set := Set([]byte(text), "u", "u:"+aLine)
		deleted, _ := Delete(set, "u")
		if rest(string(set)) != rest(text) || rest(string(deleted)) != rest(text) {
			t.Fatalf("%q became %q and %q", text, set, deleted)
		}
		if f, _ := Parse(set); !f.Check("u", "correct horse") {
			t.Fatalf("%q: u is not in", set)
		}
		if f, _ := Parse(deleted); f.Check("u", "correct horse") {
			t.Fatalf("%q: u is in", deleted)
		}
		if again := Set(set, "u", "u:"+aLine); string(again) != string(set) {
			t.Fatalf("set twice: %q, %q", set, again)
		}
	})
}

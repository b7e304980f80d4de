package acl

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// line is a line of a file, for the model.
type line struct{ word, access, text string }

func (l line) String() string {
	return strings.Join(strings.Fields(l.word+" "+l.access+" "+l.text), " ")
}

// matchLevels is the matching of MQTT 5, section 4.7, level by level.
func matchLevels(filter, name []string) bool {
	switch {
	case len(filter) > 0 && filter[0] == "#":
		return true
	case len(filter) == 0 || len(name) == 0:
		return len(filter) == len(name)
	}
	return (filter[0] == "+" || filter[0] == name[0]) && (matchLevels(filter[1:], name[1:]) || len(name) == 1 && len(filter) == 2 && filter[1] == "#")
}

func matchName(filter, name string) bool {
	if name[0] == '$' && filter[0] != '$' {
		return false
	}
	return matchLevels(strings.Split(filter, "/"), strings.Split(name, "/"))
}

// may reads the file anew for each question. want is "read" or "write".
func may(lines []line, user, client, name, want string) bool {
	whose, allowed := "", false
	for _, l := range lines {
		filter := l.text
		switch l.word {
		case "user":
			whose = l.text
			continue
		case "topic":
			if whose != user {
				continue
			}
		case "pattern":
			if user == "" && strings.Contains(filter, "%u") {
				continue
			}
			used := ""
			if strings.Contains(filter, "%u") {
				used += user
			}
			if strings.Contains(filter, "%c") {
				used += client
			}
			if strings.ContainsAny(used, "+#") || l.access != "deny" && strings.Contains(used, "/") {
				continue
			}
			filter = strings.ReplaceAll(strings.ReplaceAll(filter, "%u", user), "%c", client)
			if l.access != "deny" && filter[0] == '$' && l.text[0] != '$' {
				continue
			}
		}
		if !matchName(filter, name) {
			continue
		}
		switch l.access {
		case "deny":
			return false
		case "", "readwrite", want:
			allowed = true
		}
	}
	return allowed
}

// universe are all names of up to four levels of a few words; "z" is in no rule, and so stands for everything else.
var universe = func() (all []string) {
	words := []string{"a", "ann", "c1", "$s", "z"}
	level := []string{""}
	for range 4 {
		var next []string
		for _, before := range level {
			for _, w := range words {
				name := strings.TrimPrefix(before+"/"+w, "/")
				next = append(next, name)
			}
		}
		all = append(all, next...)
		level = next
	}
	return all
}()

func TestModel(t *testing.T) {
	filter := func(levels ...string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			parts := rapid.SliceOfN(rapid.SampledFrom(levels), 1, 3).Draw(t, "levels")
			if rapid.IntRange(0, 3).Draw(t, "end") == 0 {
				parts[len(parts)-1] = "#"
			}
			return strings.Join(parts, "/")
		})
	}
	topics, patterns := filter("a", "ann", "c1", "+", "$s"), filter("a", "%u", "%c", "x%c", "+", "$s")
	user := rapid.SampledFrom([]string{"ann", "c1", "$s", "+", "a/c1", "#"})
	access := rapid.SampledFrom([]string{"", "read", "write", "readwrite", "deny"})
	one := rapid.Custom(func(t *rapid.T) line {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return line{"user", "", user.Draw(t, "user")}
		case 1, 2:
			return line{"pattern", access.Draw(t, "access"), patterns.Draw(t, "filter")}
		}
		return line{"topic", access.Draw(t, "access"), topics.Draw(t, "filter")}
	})
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(one, 1, 8).Draw(t, "lines")
		var text strings.Builder
		exact := true // nothing is accepted that brings nothing: without denials, and with names of the universe only
		for _, l := range lines {
			fmt.Fprintln(&text, l)
			exact = exact && l.access != "deny" && !strings.Contains(l.text, "x%c")
		}
		rules, problems := Parse([]byte(text.String()))
		if len(problems) > 0 {
			t.Fatalf("%s%v", text.String(), problems)
		}
		who := rapid.OneOf(user, rapid.Just("")).Draw(t, "who")
		client := rapid.SampledFrom([]string{"c1", "ann", "a/c1", "+", "#", "$s", "c+"}).Draw(t, "client")
		p, want := rules.For(who, client), filter("a", "ann", "c1", "+", "$s").Draw(t, "subscription")
		brings := false
		for _, name := range universe {
			read, write := may(lines, who, client, name, "read"), may(lines, who, client, name, "write")
			if p.MayRead(name) != read || p.MayWrite(name) != write {
				t.Fatalf("%suser %q, client %q, %s: read %t, write %t", text.String(), who, client, name, p.MayRead(name), p.MayWrite(name))
			}
			brings = brings || read && matchName(want, name)
		}
		switch ok := p.MaySubscribe(want); {
		case brings && !ok:
			t.Fatalf("%suser %q, client %q: %s is refused, and would bring something", text.String(), who, client, want)
		case !brings && ok && exact:
			t.Fatalf("%suser %q, client %q: %s is accepted, and brings nothing", text.String(), who, client, want)
		}
	})
}

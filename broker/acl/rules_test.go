package acl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"user":                               "name is missing",
		"user   ":                            "name is missing",
		"user a\x01b":                        "control characters",
		"user a\xff":                         "not UTF-8",
		"user " + strings.Repeat("x", 65536): "65535",
		"topic":                              "filter is missing",
		"topic read":                         "write topic readwrite read",
		"pattern deny  ":                     "write pattern readwrite deny",
		"topic\tread\tx":                     "tab",
		"topic read\tx":                      "tab",
		"topic rw x":                         `"rw" is none of`,
		"topic hall one":                     `"hall" is none of`,
		"topic read a/#/b":                   "# must be the last level",
		"pattern a%c+":                       "+ must be a level of its own",
		"topic \xff":                         "not UTF-8",
		"topics read x":                      "a line begins with",
		"Topic read x":                       "a line begins with",
		"<topic>":                            "a line begins with",
	} {
		r, problems := Parse([]byte("topic #\npattern #\n" + text + "\nuser ann\ntopic #\n"))
		if len(problems) != 1 || problems[0].Line != 3 || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%.40q: %.200v", text, problems)
		}
		for _, user := range []string{"", "ann", "bob"} {
			if p := r.For(user, "c"); p == nil || p.MayRead("x") || p.MayWrite("x") || p.MaySubscribe("x") {
				t.Errorf("%.40q: %q may do something", text, user)
			}
		}
	}
	_, problems := Parse([]byte("x\n\ny\r\n# z\nz"))
	if len(problems) != 3 || problems[0].Line != 1 || problems[1].Line != 3 || problems[2].Line != 5 {
		t.Errorf("%v", problems)
	}
}

func TestSubscriptions(t *testing.T) {
	p := rulesOf(t, "topic read a/+/c\ntopic write w\ntopic read no/x\ntopic read no/y\ntopic deny no/#\ntopic read $SYS/broker/#\ntopic read b/#\ntopic deny b/1\n").For("", "c")
	for filter, want := range map[string]bool{
		"a/1/c": true, "a/#": true, "#": true, "+/+/+": true, "a/1/d": false, "a/+": false, "w": false, "+": true, "no/x": false, "no/#": false, "no/+": false, "+/x": true,
		"$SYS/#": true, "$SYS/broker/version": true, "$SYS/other": false, "+/broker/version": true, "b/1": false, "b/+": true, "b": true, "c/#": false,
	} {
		if p.MaySubscribe(filter) != want {
			t.Errorf("%s: %t", filter, !want)
		}
	}
	p = rulesOf(t, "topic read no/x\ntopic deny no/#\n").For("", "c")
	if p.MaySubscribe("#") || p.MaySubscribe("+/x") {
		t.Error("a subscription to what is denied altogether")
	}
}

func TestNoRulesAllowEverything(t *testing.T) {
	var r *Rules
	p := r.For("ann", "c")
	if p != nil || !p.MayRead("x") || !p.MayWrite("$SYS/x") || !p.MaySubscribe("#") {
		t.Error("without a file something is denied")
	}
}

func TestProfilesAreShared(t *testing.T) {
	same := func(file, user, client, user2, client2 string) bool {
		r := rulesOf(t, file)
		return r.For(user, client) == r.For(user2, client2)
	}
	for _, c := range []struct {
		file                         string
		user, client, user2, client2 string
		want                         bool
	}{
		{"user ann\ntopic x\n", "ann", "1", "ann", "2+", true},
		{"user ann\ntopic x\n", "ann", "1", "", "1", false},
		{"user ann\ntopic x\n", "bob", "1", "cid", "2", true},
		{"user ann\ntopic x\n", "bob", "1", "", "1", false},
		{"pattern %u/x\npattern x\n", "ann", "1", "ann", "2/", true},
		{"pattern %u/x\npattern x\n", "ann", "1", "bob", "1", false},
		{"pattern %c/x\n", "ann", "1", "ann", "2", false},
		{"pattern %c/x\n", "ann", "1", "ann", "1", true},
		{"pattern %c/x\n", "ann", "1", "bob", "1", true},
	} {
		if same(c.file, c.user, c.client, c.user2, c.client2) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestProfilesAreBounded(t *testing.T) {
	r := rulesOf(t, "pattern %c/x\n")
	for i := range 3 * maxProfiles {
		name := fmt.Sprint("c", i)
		if !r.For("", name).MayRead(name+"/x") || len(r.profiles) > maxProfiles {
			t.Fatalf("client %d, %d profiles", i, len(r.profiles))
		}
	}
}

func TestVerdictsDoNotAllocate(t *testing.T) {
	p := rulesOf(t, "topic deny a/+/b/#\ntopic read site/+/x\npattern write dev/%c/#\npattern read common/#\n").For("", "c1")
	if !p.MayRead("site/1/x") || !p.MayWrite("dev/c1/y/z") || p.MayRead("a/1/b") {
		t.Fatal("the rules are not asked")
	}
	if n := testing.AllocsPerRun(100, func() {
		p.MayRead("site/1/x")
		p.MayWrite("dev/c1/y/z")
		p.MayRead("a/1/b")
		p.MaySubscribe("site/#")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// text prints rules as a file.
func (r *Rules) text() string {
	var b strings.Builder
	lines := func(word string, s set) {
		for a, filters := range map[access][]string{deny: s.deny, read: s.read, write: s.write} {
			for _, f := range filters {
				fmt.Fprintf(&b, "%s %s %s\n", word, words[a], f)
			}
		}
	}
	lines("pattern", r.common)
	for _, p := range r.patterns {
		fmt.Fprintf(&b, "pattern %s %s\n", words[p.access], p.filter)
	}
	var users []string
	for user := range r.topics {
		users = append(users, user)
	}
	slices.Sort(users) // "" is the first
	for _, user := range users {
		if user != "" {
			fmt.Fprintf(&b, "user %s\n", user)
		}
		lines("topic", *r.topics[user])
	}
	return b.String()
}

// FuzzParse: no text panics, and rules that are printed are read as the same rules.
func FuzzParse(f *testing.F) {
	for _, c := range table {
		f.Add([]byte(c.file), "ann", "c1", "dev/c1/cmd")
	}
	f.Fuzz(func(t *testing.T, text []byte, user, client, name string) {
		r, problems := Parse(text)
		lines := strings.Count(string(text), "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Text == "" {
				t.Fatalf("%+v of %d lines", p, lines)
			}
		}
		p := r.For(user, client)
		canRead, canWrite := p.MayRead(name), p.MayWrite(name)
		if len(problems) > 0 {
			if canRead || canWrite {
				t.Fatal("a file with problems allows something")
			}
			return
		}
		again, problems := Parse([]byte(r.text()))
		if len(problems) > 0 || !reflect.DeepEqual(r.topics, again.topics) || !reflect.DeepEqual(r.patterns, again.patterns) || !reflect.DeepEqual(r.common, again.common) {
			t.Fatalf("printed:\n%s\nproblems: %v", r.text(), problems)
		}
		if p := again.For(user, client); p.MayRead(name) != canRead || p.MayWrite(name) != canWrite {
			t.Fatalf("printed, they say something else:\n%s", r.text())
		}
	})
}

package acl

import (
	"fmt"
	"strings"

	"edged/internal/topic"
)

// Problem is what is wrong with a line, counted from 1.
type Problem struct {
	Line int
	Text string
}

// access is what a rule says of its topics.
type access int

const (
	deny access = iota
	read
	write
	readwrite
)

// words are the names of the accesses in a file.
var words = [...]string{deny: "deny", read: "read", write: "write", readwrite: "readwrite"}

// rule is a topic or pattern line.
type rule struct {
	access access
	filter string
}

const blanks = " \t\r\n\v\f"

// Parse reads an ACL file. If there are problems, the rules allow nobody anything. They are never nil.
func Parse(text []byte) (*Rules, []Problem) {
	r := &Rules{topics: map[string]*set{"": {}}}
	var problems []Problem
	user, number := "", 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.Trim(line, blanks); line == "" || line[0] == '#' {
			continue
		}
		if err := r.line(line, &user); err != nil {
			problems = append(problems, Problem{number, err.Error()})
		}
	}
	if len(problems) > 0 {
		r = &Rules{}
	}
	r.ready()
	return r, problems
}

// line adds what a line says. user is whose topic lines follow.
func (r *Rules) line(line string, user *string) error {
	if strings.Contains(line, "\t") {
		return fmt.Errorf("there is a tab in the line; separate words by spaces")
	}
	if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("there are control characters in the line")
	}
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	switch word {
	case "user":
		if err := checkUser(rest); err != nil {
			return err
		}
		*user = rest
		if r.topics[rest] == nil {
			r.topics[rest] = &set{}
		}
		return nil
	case "topic", "pattern":
	default:
		return fmt.Errorf("%q: a line begins with user, topic, pattern or #", word)
	}
	one, err := parseRule(word, rest)
	if err != nil {
		return err
	}
	if word == "topic" {
		r.topics[*user].add(one)
	} else {
		r.pattern(one)
	}
	return nil
}

func checkUser(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("user: the name is missing")
	case len(name) > topic.MaxLen:
		return fmt.Errorf("user: the name is longer than %d bytes, the most that MQTT can carry", topic.MaxLen)
	case strings.ToValidUTF8(name, "") != name:
		return fmt.Errorf("user: the name is not UTF-8")
	}
	return nil
}

// parseRule reads what follows topic or pattern.
func parseRule(word, text string) (rule, error) {
	first, rest, more := strings.Cut(text, " ")
	for a, name := range words {
		if first != name {
			continue
		}
		if !more {
			return rule{}, fmt.Errorf("%s %s: the filter is missing (of the topic %s, write %s readwrite %s)", word, name, name, word, name)
		}
		return rule{access(a), strings.TrimLeft(rest, " ")}.check(word)
	}
	if more {
		return rule{}, fmt.Errorf("%s: %q is none of read, write, readwrite and deny; a filter with spaces in it needs one of them before it", word, first)
	}
	return rule{readwrite, first}.check(word)
}

func (r rule) check(word string) (rule, error) {
	if r.filter == "" {
		return r, fmt.Errorf("%s: the filter is missing", word)
	}
	if err := topic.CheckFilter(r.filter); err != nil {
		return r, fmt.Errorf("%s: the filter %q: %w", word, r.filter, err)
	}
	return r, nil
}

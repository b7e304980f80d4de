package batches

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"edged/batches/decode"
	"edged/batches/expression"
	"edged/internal/conf"
	"edged/internal/topic"
)

// join is a compiled join. It is immutable and shared.
type join struct {
	alias, other string
	topics       []string // filters of the other side's messages; empty: all
	filters      topic.Filters[struct{}]
	within       int64 // ns; 0: the other side is a table
	outer        bool
	own          []*expression.Expr // what a row of this side must be equal in

	format string // the name of the other side's decoder
	kind   decode.Kind
	paths  [][]string           // what is read of the other side, each once
	keys   []int                // of paths: what a row of the other side must be equal in; ^n is level n of its topic
	time   int                  // of paths: the other side's time; -1: it has none
	fields []expression.Subpath // what the expressions name of the other side, and where that stands in the joined row
	read   []int                // of paths: the same
	keep   []int                // see Plan.keeps
}

// table reports whether the other side is a table.
func (j *join) table() bool { return j.within == 0 }

// joinsTableOf reports whether a receiver's messages are tables that the stream joins.
func (p *Plan) joinsTableOf(receiver string) bool {
	return p.join != nil && p.join.table() && p.join.other == receiver
}

// joins compiles a join. It comes when everything is declared that on can see, and nothing that sees the other side is compiled.
func (b *builder) joins(c *StreamConfig) {
	if len(c.Join) == 0 {
		return
	}
	p, pr := b.p, c.Join[0]
	if len(c.Join) > 1 {
		b.fail("join", c.Join[1].Key, errors.New("a stream has one join; chain a second stream for another"))
		return
	}
	j := &join{alias: pr.Key, other: pr.Value, topics: slices.Sorted(slices.Values(c.JoinTopics)), filters: topic.NewFilters(c.JoinTopics), within: int64(c.Within), outer: c.Outer, time: -1}
	b.alias(c, j)
	if !b.joinDecoder(c, j) {
		return
	}
	b.on(c, j)
	if j.table() {
		b.tableJoin(c)
	} else {
		b.streamJoin(c, j)
	}
	b.scope.Join(j.alias, j.kind)
	p.join = j
}

// alias checks the name of the joined row.
func (b *builder) alias(c *StreamConfig, j *join) {
	b.name("join", j.alias)
	switch {
	case j.alias == "qos" || j.alias == "retain":
		b.fail("join", j.alias, fmt.Errorf("%q is a name of the gateway's own; choose another", j.alias))
	case slices.ContainsFunc(c.Columns, func(pr conf.Pair) bool { return strings.Split(pr.Key, ".")[0] == j.alias }):
		b.fail("join", j.alias, fmt.Errorf("it would hide the column %s; choose another name", j.alias))
	}
}

// joinDecoder makes the other side's decoder.
func (b *builder) joinDecoder(c *StreamConfig, j *join) bool {
	j.format = c.JoinDecode
	switch {
	case j.format != "":
	case j.table():
		j.format = "csv"
	default:
		j.format = "json"
	}
	kind, ok := Decoders.Find(j.format)
	if !ok {
		b.fail("", "join_decode", fmt.Errorf("unknown decoder %q%s", j.format, conf.Suggest(j.format, Decoders.Names())))
		return false
	}
	j.kind = kind.New()
	if j.format != "csv" {
		return true
	}
	o := c.JoinCSV
	var wrong []decode.Problem
	j.kind, wrong = o.Kind()
	for _, p := range wrong {
		b.fail("join_csv", p.Key, p.Err)
	}
	return true
}

// on compiles what must be equal.
func (b *builder) on(c *StreamConfig, j *join) {
	if len(c.On) == 0 {
		b.fail("", "join", errors.New(`it needs on, which says what must be equal: on = { id = "topic[1]" }`))
	}
	for _, pr := range c.On {
		key, err := j.keyIn(pr.Key)
		if err != nil {
			b.fail("on", pr.Key, err)
		}
		x, err := b.scope.Compile(pr.Value)
		if err != nil {
			b.fail("on", pr.Key, err)
			continue
		}
		j.keys, j.own = append(j.keys, key), append(j.own, x)
	}
}

var levelKey = regexp.MustCompile(`^topic\[([0-9]{1,2})\]$`)

// keyIn is where a name in on stands on the other side.
func (j *join) keyIn(name string) (int, error) {
	if m := levelKey.FindStringSubmatch(name); m != nil {
		if j.table() {
			return 0, errors.New("a table's rows have no topic: name one of its columns")
		}
		level, _ := strconv.Atoi(m[1])
		return ^level, nil
	}
	path := j.path(name)
	if err := j.kind.Check(path); err != nil {
		return 0, fmt.Errorf("the joined side: %w", err)
	}
	return j.reads(path), nil
}

// reads has a field of the other side be read, and says where it will be.
func (j *join) reads(path []string) int {
	if i := slices.IndexFunc(j.paths, func(p []string) bool { return slices.Equal(p, path) }); i >= 0 {
		return i
	}
	j.paths = append(j.paths, path)
	return len(j.paths) - 1
}

// path is a field of the other side.
func (j *join) path(name string) []string {
	if j.kind.Open == decode.Nested {
		return strings.Split(name, ".")
	}
	return []string{name}
}

func (b *builder) tableJoin(c *StreamConfig) {
	for key, present := range map[string]bool{"join_topics": len(c.JoinTopics) > 0, "join_time": c.JoinTime != ""} {
		if present {
			b.fail("", key, errors.New("it is for the join of two streams, which has within"))
		}
	}
	if slices.Contains(c.From, c.Joined()) {
		b.fail("", "join", fmt.Errorf("%s is in from, too. If it is a table, take it out there: a table is no stream of readings. If it is not, the join needs within and join_topics, which tell both sides apart", c.Joined()))
	}
}

func (b *builder) streamJoin(c *StreamConfig, j *join) {
	if j.within < 0 || c.Within.D() > 365*24*time.Hour {
		b.fail("", "within", errors.New("it must be more than 0s, and at most 365d"))
	}
	if slices.Contains(c.From, j.other) {
		if len(j.topics) == 0 {
			b.fail("", "join", fmt.Errorf("%s is in from, too: join_topics must say which of its messages are the other side", j.other))
		}
		for _, f := range j.topics {
			for _, own := range c.Topics {
				if topic.CheckFilter(f) == nil && topic.CheckFilter(own) == nil && topic.Overlap(f, own) {
					b.fail("", "join_topics", fmt.Errorf("a message can match %s and %s of topics: it must be known which side it is", f, own))
				}
			}
		}
	}
	name := c.JoinTime
	switch {
	case b.p.time.field == nil && name != "":
		b.fail("", "join_time", errors.New(`it is for a stream with a time field; this one has time = "arrival"`))
		return
	case b.p.time.field == nil:
		return
	case name == "":
		name = c.Time
	}
	path := j.path(strings.TrimPrefix(name, "payload."))
	if err := j.kind.Check(path); err != nil {
		b.fail("", "join_time", fmt.Errorf("the joined side: %w", err))
	}
	j.time = j.reads(path)
}

// fieldsOf notes what the expressions name of the other side.
func (j *join) fieldsOf(s *expression.Scope) {
	j.fields = s.Joined()
	for _, f := range j.fields {
		j.read = append(j.read, j.reads(f.Path))
	}
}

// takes reports whether a message is of the other side.
func (j *join) takes(receiver, name string) bool {
	return j != nil && receiver == j.other && j.matches(name)
}

func (j *join) matches(name string) bool {
	return len(j.topics) == 0 || j.filters.Match(name)
}

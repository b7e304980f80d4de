package batches

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"edged"
	"edged/internal/conf"
)

// Explanation is what a plan does, in words and in the order in which a row goes through it.
type Explanation struct {
	Stream     string   `json:"stream"`
	Definition string   `json:"definition"` // the hash of what results depend on
	From       []string `json:"from"`
	Topics     []string `json:"topics"`
	Decode     string   `json:"decode"`
	Payloads   string   `json:"payloads"` // what the decoder reads
	Reads      []Read   `json:"reads"`
	Time       []string `json:"time"`
	Steps      []Step   `json:"steps"`
	State      *Bound   `json:"state,omitempty"` // nil: nothing is remembered from one row to the next
	Output     []string `json:"output"`          // columns, in order
	Notes      []string `json:"notes"`
}

// Read is a column of the payload that is looked at.
type Read struct {
	Column string   `json:"column"`
	Type   string   `json:"type"`
	In     []string `json:"in"` // keys of the configuration
}

// Step is a key of the stream's table that is not at its default, or one entry of it if it is a table itself.
type Step struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"` // of the entry
	Text string `json:"text"`           // as configured
	Note string `json:"note,omitempty"` // what it means
}

// where is the key, with its entry if there is one.
func (s Step) where() string {
	if s.Name == "" {
		return s.Key
	}
	return s.Key + "." + s.Name
}

// Explain says what the plan does. Keys that it does not know of are shown with their documentation.
func (p *Plan) Explain() *Explanation {
	c := p.config()
	kind, _ := Decoders.Find(c.Decode)
	x := &Explanation{
		Stream: p.Name, Definition: p.Hash, From: p.own, Topics: p.topics, Decode: c.Decode, Payloads: kind.Doc,
		Time: p.timeInWords(c), Steps: steps(c), State: p.bound(), Output: p.names, Notes: p.notes(),
	}
	for i := range x.Steps {
		s := &x.Steps[i]
		switch s.Key {
		case "window":
			s.Note = p.windowInWords()
		case "join":
			s.Note = p.join.inWords()
		case "aggregate":
			for _, a := range p.aggs {
				if a.name == s.Name {
					s.Note = a.kind.Formula
				}
			}
		}
	}
	x.Reads = p.reads(c, x.Steps)
	return x
}

// config is the configuration that the plan was compiled from, without what results do not depend on.
func (p *Plan) config() *StreamConfig {
	c := DefaultStream()
	c.Name = p.Name
	_ = json.Unmarshal([]byte(p.Definition), c) // definition has written it
	return c
}

func (p *Plan) timeInWords(c *StreamConfig) []string {
	if c.Time == "arrival" {
		return []string{"a row's time is that of its arrival; no row is late"}
	}
	words := []string{
		fmt.Sprintf("a row's time is in the field %s: RFC 3339 text, or a number in %s since 1970", c.Time, c.TimeUnit),
		"a row that is dated more than " + length(c.MaxFuture) + " ahead of its arrival is a dead letter",
	}
	switch held := p.join != nil && !p.join.table(); {
	case held:
		words = append(words, "a row may be "+length(c.AllowedLateness)+" older than the latest one; an older one is counted as late")
	case !p.Windowed():
		return words
	default:
		words = append(words, "a row may come "+length(c.AllowedLateness)+" after the end of its window; a later one is counted as late")
	}
	if c.Idle == 0 {
		return append(words, "while no rows come, windows stay open")
	}
	return append(words, "after "+length(c.Idle)+" without a row, windows close at the pace of arrival time")
}

func length(d conf.Duration) string {
	if d == 0 {
		return "0s"
	}
	return d.String()
}

func (p *Plan) windowInWords() string {
	w := p.window
	switch size, every, pane := time.Duration(w.Size), time.Duration(w.Every), time.Duration(w.PaneSize()); {
	case size == 0 || pane == 0: // not on a grid
		return ""
	case size == every:
		return fmt.Sprintf("windows begin at multiples of %s since 1970-01-01 UTC", length(conf.Duration(size)))
	default:
		return fmt.Sprintf("windows of %s begin at multiples of %s since 1970-01-01 UTC; a row is kept once, in a part of %s, and counts in all of its windows",
			length(conf.Duration(size)), length(conf.Duration(every)), length(conf.Duration(pane)))
	}
}

// reads lists the columns of the payload, with the keys in which they stand.
func (p *Plan) reads(c *StreamConfig, steps []Step) (out []Read) {
	add := func(column string, kind edged.Kind, in ...string) {
		i := slices.IndexFunc(out, func(r Read) bool { return r.Column == column })
		if i < 0 {
			i = len(out)
			out = append(out, Read{Column: column, Type: typeName(kind)})
		}
		for _, key := range in {
			if !slices.Contains(out[i].In, key) {
				out[i].In = append(out[i].In, key)
			}
		}
	}
	if p.time.field != nil {
		add(strings.TrimPrefix(c.Time, "payload."), edged.Absent, "time")
	}
	for _, u := range p.uses {
		var in []string
		for _, s := range steps {
			if s.names(u.Text) {
				in = append(in, s.where())
			}
		}
		for _, column := range u.Columns {
			add(column.Name, column.Type, in...)
		}
	}
	return out
}

// names reports whether an expression is the step's, or an argument of the function that the step calls.
func (s Step) names(expression string) bool {
	if s.Text == expression {
		return true
	}
	m := call.FindStringSubmatch(s.Text)
	if m == nil {
		return false
	}
	inner := strings.TrimSpace(m[2])
	return inner == expression || strings.HasPrefix(inner, expression+",") // constants follow
}

// typeName is a column's type in words.
func typeName(k edged.Kind) string {
	switch k {
	case edged.Bool:
		return "true or false"
	case edged.Number:
		return "number"
	case edged.Time:
		return "time"
	case edged.Text:
		return "text"
	case edged.JSON:
		return "JSON"
	case edged.Bytes:
		return "bytes"
	}
	return "any type"
}

// notes are what is worth knowing besides.
func (p *Plan) notes() (out []string) {
	if n := len(p.keys); n > 0 && !slices.ContainsFunc(p.keys, func(k keyed) bool { return !k.expr.OfTopic() }) {
		out = append(out, "group_by depends on the topic alone: it is evaluated once a topic, not once a row")
	}
	if p.fans() {
		out = append(out, fmt.Sprintf("a message can have several rows, %d at most; it is good or a dead letter as a whole", maxFan))
	}
	if len(p.lags) > 0 {
		out = append(out, "lag(x) is null in the first row of a key")
	}
	if p.Logged() {
		return append(out, "results are stored before they leave: a sink that fails finds them later")
	}
	return append(out, "a sink reads the rows from the block log itself: they are not stored twice")
}

package batches

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"edged/batches/aggregate"
	"edged/batches/decode"
	"edged/batches/expression"
	"edged/batches/window"
	"edged/internal/conf"
	"edged/internal/topic"
)

// Plan is a compiled stream. It is immutable and shared.
type Plan struct {
	Name       string
	Definition string // what results depend on, in canonical form; it can be compiled again
	Hash       string // of Definition

	from    []string // receivers whose time counts
	own     []string // receivers of the messages that match topics
	topics  []string
	filters topic.Filters[struct{}] // topics
	format  string                  // the name of the decoder
	columns []Column
	decode  decode.Kind
	paths   [][]string
	flat    *flatMap // nil: none
	time    timeSpec
	join    *join            // nil: none
	where   *expression.Expr // nil: every row
	selects []selected
	shown   []selected // of them, those whose columns stand in a row
	keys    []keyed
	window  window.Spec
	early   int64 // emit_every, ns; 0: results leave when they are final
	expire  int64 // ns; 0: nothing is forgotten
	aggs    []aggregated
	inputs  []*expression.Expr // what the aggregates take of a row, each once; nil for that of count()
	input   []int              // by aggregate: of inputs
	keeping []int              // of aggs: those that keep what they take as it is, however long
	having  *expression.Expr   // nil: every result
	groups  int                // max_groups

	lags     []expression.Lag
	changed  *expression.Expr // nil: every row
	band     deadband
	throttle int64    // ns between two rows of a key; 0: none
	sample   uint64   // every so many rows of a key one; 0 or 1: all
	names    []string // columns of the output
	rowNames []string // columns of a row as it is: the output without a window, and what comes too late for one

	uses []expression.Use // for who wants to know
}

type selected struct {
	name string
	expr *expression.Expr
	slot int
}

type keyed struct {
	name string
	expr *expression.Expr
}

type aggregated struct {
	name string
	kind aggregate.Kind
}

// Windowed reports whether the stream has windows, and with them a result log.
func (p *Plan) Windowed() bool { return !p.window.IsZero() }

// Problem is what is wrong with one key of a stream's table.
type Problem struct {
	Table string // aggregate, group_by, select, or ""
	Key   string
	Err   error
}

func (p Problem) where() string {
	if p.Table != "" {
		return p.Table + "." + p.Key
	}
	return p.Key
}

// Compile compiles a stream, and finds everything that is wrong with it.
func Compile(c *StreamConfig) (*Plan, []Problem) {
	p := &Plan{Name: c.Name, own: slices.Sorted(slices.Values(c.From)), topics: slices.Sorted(slices.Values(c.Topics)), groups: c.MaxGroups}
	b := &builder{p: p, inputs: map[string]int{}}
	if !b.decoder(c) {
		return nil, b.problems
	}
	b.scope = expression.NewScope(p.decode)
	b.flatMap(c.FlatMap)
	b.time(c)
	b.joins(c)
	p.filters, p.from = topic.NewFilters(p.topics), p.own
	if j := p.join; j != nil && !j.table() && !slices.Contains(p.own, j.other) { // a table's messages are no rows in time
		p.from = slices.Sorted(slices.Values(c.Sources()))
	}
	if c.Where != "" {
		b.where(c.Where)
	}
	b.selects(c.Select)
	var err error
	if p.window, err = window.Parse(c.Window); err != nil {
		b.fail("", "window", err)
	} else {
		b.windows(c)
	}
	b.keys(c.GroupBy)
	b.aggregates(c.Aggregate)
	b.memory(c)
	if err == nil {
		b.shape(c)
		b.having(c)
	}
	p.paths, p.uses = b.scope.Paths(), b.scope.Uses()
	if p.flat != nil {
		p.flat.subs = b.scope.Subpaths()
	}
	if p.join != nil {
		p.join.fieldsOf(b.scope)
		p.join.keepsOf(p)
	}
	p.Definition = definition(c)
	sum := sha256.Sum256([]byte(p.Definition))
	p.Hash = hex.EncodeToString(sum[:6])
	return p, b.problems
}

// definition is the canonical text of what a stream's results depend on: the keys that are not at their defaults. So a key that
// a later version brings changes no definition that does not use it. Sinks are not part of it.
func definition(c *StreamConfig) string {
	d, defaults := *c, DefaultStream()
	d.From, d.Topics = slices.Sorted(slices.Values(c.From)), slices.Sorted(slices.Values(c.Topics))
	d.JoinTopics = slices.Sorted(slices.Values(c.JoinTopics))
	if d.Time == "arrival" {
		d.TimeUnit, d.AllowedLateness, d.MaxFuture, d.Idle = defaults.TimeUnit, defaults.AllowedLateness, defaults.MaxFuture, defaults.Idle
	}
	keys, usual := jsonKeys(&d), jsonKeys(defaults)
	for k, v := range keys {
		if bytes.Equal(v, usual[k]) {
			delete(keys, k)
		}
	}
	text, _ := json.Marshal(keys) // in the order of their names
	return string(text)
}

func jsonKeys(c *StreamConfig) (keys map[string]json.RawMessage) {
	text, _ := json.Marshal(c) // strings and numbers only
	_ = json.Unmarshal(text, &keys)
	return keys
}

// CompileDefinition compiles what definition wrote.
func CompileDefinition(name, text string) (*Plan, error) {
	c := DefaultStream()
	c.Name = name
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, err
	}
	p, problems := Compile(c)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: %w", problems[0].where(), problems[0].Err)
	}
	return p, nil
}

type builder struct {
	p        *Plan
	scope    *expression.Scope
	problems []Problem
	inputs   map[string]int // the texts of p.inputs
	used     []string       // names of the output
}

func (b *builder) fail(table, key string, err error) {
	b.problems = append(b.problems, Problem{table, key, err})
}

func (b *builder) where(text string) {
	x, err := b.scope.CompileBool(text)
	if err != nil {
		b.fail("", "where", err)
	}
	b.p.where = x
}

// name checks a column's name and books it.
func (b *builder) name(table, name string) {
	switch {
	case !columnName.MatchString(name):
		b.fail(table, name, errors.New("a column's name begins with a letter or _, and goes on with letters, digits and _"))
	case isReserved(name):
		b.fail(table, name, fmt.Errorf("%q is a name of the gateway's own; choose another", name))
	case slices.Contains(b.used, name):
		b.fail(table, name, fmt.Errorf("%q is there twice", name))
	}
	b.used = append(b.used, name)
}

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (b *builder) selects(pairs conf.Pairs) {
	var xs []selected
	for _, pr := range pairs {
		b.name("select", pr.Key)
		x, err := b.scope.Compile(pr.Value)
		if err != nil {
			b.fail("select", pr.Key, err)
			continue
		}
		xs = append(xs, selected{name: pr.Key, expr: x})
	}
	for i := range xs { // an expression of select sees the decoded columns only
		xs[i].slot = b.scope.Define(xs[i].name)
	}
	b.p.selects = xs
}

func (b *builder) keys(pairs conf.Pairs) {
	b.used = nil
	for _, pr := range pairs {
		b.name("group_by", pr.Key)
		x, err := b.scope.Compile(pr.Value)
		if err != nil {
			b.fail("group_by", pr.Key, err)
			continue
		}
		b.p.keys = append(b.p.keys, keyed{pr.Key, x})
	}
}

// row lists the columns of a row as it is. Where select and group_by share a name, it is the group's: that is what one looks for.
func (b *builder) row() {
	p := b.p
	p.rowNames = []string{"time", "topic"}
	for _, k := range p.keys {
		p.rowNames = append(p.rowNames, k.name)
	}
	for _, s := range p.selects {
		if !slices.ContainsFunc(p.keys, func(k keyed) bool { return k.name == s.name }) {
			p.shown = append(p.shown, s)
			p.rowNames = append(p.rowNames, s.name)
		}
	}
	if len(p.selects) == 0 {
		p.rowNames = append(p.rowNames, p.decode.PayloadName)
	}
	p.rowNames = append(p.rowNames, "epoch", "clock_trusted")
}

// shape checks what goes together, and lists the columns of the output.
func (b *builder) shape(c *StreamConfig) {
	p := b.p
	b.row()
	if !p.Windowed() {
		for _, k := range []struct {
			key     string
			present bool
		}{{"group_by", len(c.GroupBy) > 0 && !p.remembers()}, {"aggregate", len(c.Aggregate) > 0}} {
			if k.present {
				b.fail("", k.key, fmt.Errorf(`it needs a window, such as window = "tumbling 10s"`))
			}
		}
		p.names = p.rowNames
		return
	}
	if len(c.Aggregate) == 0 {
		b.fail("", "window", errors.New(`a window needs aggregate, such as aggregate = { n = "count()" }`))
	}
	p.names = []string{"window_start", "window_end"}
	for _, k := range p.keys {
		p.names = append(p.names, k.name)
	}
	for _, a := range p.aggs {
		p.names = append(p.names, a.name)
	}
	p.names = append(p.names, p.signNames()...)
}

// timeSpec is where a row's time comes from.
type timeSpec struct {
	field     []string // nil: arrival
	slot      int
	unit      int64 // ns
	lateness  int64
	maxFuture int64
	idle      int64 // 0: never
}

func (b *builder) time(c *StreamConfig) {
	if c.Time == "arrival" {
		return
	}
	unit, ok := timeUnits()[c.TimeUnit]
	if !ok {
		b.fail("", "time_unit", fmt.Errorf("want s, ms, us or ns, have %q", c.TimeUnit))
	}
	path := strings.Split(strings.TrimPrefix(c.Time, "payload."), ".")
	find := b.scope.Resolve // a field of a list's element, too
	if strings.HasPrefix(c.Time, "payload.") {
		find = b.scope.Column
	}
	slot, err := find(path)
	if err == nil && c.Time == "" {
		err = errors.New(`want "arrival" or the name of a field`)
	}
	if err != nil {
		b.fail("", "time", err)
	}
	for key, d := range map[string]conf.Duration{"allowed_lateness": c.AllowedLateness, "max_future": c.MaxFuture, "idle": c.Idle} {
		if d < 0 {
			b.fail("", key, errors.New("it cannot be negative"))
		}
	}
	b.p.time = timeSpec{path, slot, int64(unit), int64(c.AllowedLateness), int64(c.MaxFuture), int64(c.Idle)}
}

// timeUnits are the units of times that are numbers.
func timeUnits() map[string]time.Duration {
	return map[string]time.Duration{"s": time.Second, "ms": time.Millisecond, "us": time.Microsecond, "ns": 1}
}

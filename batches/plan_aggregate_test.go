package batches

import (
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

// aggregating is a stream that computes one function.
func aggregating(text string) *StreamConfig {
	c := pinsConfig()
	c.Aggregate = conf.Pairs{{Key: "x", Value: text}}
	return c
}

func TestAggregatesAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{
		"count()", " avg ( value ) ", "quantile(value, 0.995)", "quantile(value,.5)", "quantile(value, 1e-3)", "top_k(topic[1], 5)", `time_in_state(state, "on")`,
		"time_in_state(state, 'on')", "time_in_state(state, `on`)", "time_in_state(value, -1.5)", "time_in_state(value > 3, true)", `time_in_state(state, "a, b)")`,
		"histogram(value, -10, 0, +10, 20)", "collect(value, 1000)", `mode(state in ["on", "off"] ? "a,b" : 'it\'s, "c"')`, "sum(max(value, 0))",
		"collect({a: value, b: [1, 2]}, 3)", "edges(value > 3)", "quantile(max(value, 3), 0.5)", "median(value)", "p50(value)", "p99(value)",
	} {
		p, problems := Compile(aggregating(text))
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems[0].Err)
			continue
		}
		if a := p.aggs[0].kind; a.New == nil || a.New() == nil || (p.inputs[0] == nil) != (text == "count()") {
			t.Errorf("%s is compiled to %+v", text, p.aggs[0])
		}
	}
}

// What several aggregates take of a row is evaluated once, and each gets what it asks for.
func TestAggregatesShareWhatTheyTake(t *testing.T) {
	c := byDevice("tumbling 1m")
	c.Aggregate = aggregates("max(value)", "count()", "sum(value * 10)", "min(value)", "collect(value * 10, 3)")
	p := mustPlan(t, c)
	if len(p.inputs) != 3 || !slices.Equal(p.input, []int{0, 1, 2, 0, 2}) {
		t.Errorf("%d expressions, of which the aggregates take %v", len(p.inputs), p.input)
	}
	s := newStream(c, p, newMemStore(p))
	open(t, s)
	s.apply(&edged.Entry{Seq: 1, Block: blockOf("a", edged.Instant{Wall: 1005 * sec},
		msg{"site/d/gpio/1", `{"value": 2}`, 1001 * sec}, msg{"site/d/gpio/1", `{"value": 3}`, 1002 * sec})})
	s.st.closeAll(&s.out)
	want := []edged.Value{edged.NumberValue(3), edged.NumberValue(2), edged.NumberValue(50), edged.NumberValue(2), edged.JSONValue("[20,30]")}
	if got := s.out.rows.Cells[3:8]; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestMistakesInAggregates(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"quantile(value, 5)", "quantile's second argument is a share from 0 to 1, have 5"},
		{`quantile(value, "x")`, `quantile's second argument is a share from 0 to 1, have "x"`},
		{"quantile(value)", "quantile takes a column and a share, such as quantile(value, 0.995); have 0 constants"},
		{"quantile()", "quantile needs a column and what comes after it: quantile(x, q)"},
		{"quantile(value, n)", `"n" is no constant; what quantile takes after its column is a number, a quoted text, true or false`},
		{"quantile(value, 0.5+0.1)", `"0.5+0.1" is no constant; what quantile takes after its column is a number, a quoted text, true or false`},
		{"quantile(value, )", `"" is no constant; what quantile takes after its column is a number, a quoted text, true or false`},
		{"quantile(value, 1.2.3)", `"1.2.3" is no constant; what quantile takes after its column is a number, a quoted text, true or false`},
		{"quantile(value, 1e999)", `"1e999" is no constant; what quantile takes after its column is a number, a quoted text, true or false`},
		{`time_in_state(state, "on)`, `"\"on" is no constant; what time_in_state takes after its column is a number, a quoted text, true or false`},
		{`time_in_state(state, 'it's')`, `"'it's'" is no constant`},
		{"avg(value, 5)", "avg takes a column only, have 2 arguments"},
		{"avg()", "avg needs a column, such as avg(value)"},
		{"count(value)", "count() takes no argument"},
		{"histogram(value, 10, 5)", "histogram's bounds grow, have 5 after 10"},
		{"top_k(value, 0)", "top_k's second argument is a whole number from 1 to 100, have 0"},
		{"collect(value, 10000)", "collect's second argument is a whole number from 1 to 1000, have 10000"},
		{"topk(value, 5)", `unknown aggregate "topk"; did you mean "top_k"?`},
		{"quantile(value >, 0.5)", "unexpected token EOF"},
	} {
		_, problems := Compile(aggregating(c.text))
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Err.Error(), c.want) || problems[0].where() != "aggregate.x" {
			t.Errorf("%s: %+v, want %s", c.text, problems, c.want)
		}
	}
}

func TestArgumentsAreSplitBetweenThem(t *testing.T) {
	for text, want := range map[string][]string{
		"":                        {""},
		"a":                       {"a"},
		" a , b ":                 {"a", "b"},
		"f(a, b), [1, 2], {c, d}": {"f(a, b)", "[1, 2]", "{c, d}"},
		`"a,\"b", 'c,\'d', 5`:     {`"a,\"b"`, `'c,\'d'`, "5"},
		"`a,\\`, b":               {"`a,\\`", "b"},
		"a,,":                     {"a", "", ""},
		`"open, b`:                {`"open, b`},
	} {
		if got := splitArguments(text); !slices.Equal(got, want) {
			t.Errorf("%q is split into %q, want %q", text, got, want)
		}
	}
}

// A text in single quotes is what was put into them.
func TestQuotedConstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune(`a"'\,)ä`))).Draw(t, "text")
		single := `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + `'`
		double := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		for _, q := range []string{single, double} {
			if v, ok := constant(q); !ok || v != edged.TextValue(s) {
				t.Fatalf("%s is read as %q, %t", q, v.Str(), ok)
			}
			if got := splitArguments("x, " + q + ", 5"); len(got) != 3 || got[1] != q {
				t.Fatalf("%s is split into %q", q, got)
			}
		}
	})
}

// What holds until the next reading goes on from one window to the next, through the stream and its panes.
func TestValuesHoldAcrossWindows(t *testing.T) {
	c := pinsConfig()
	c.Where = ""
	c.GroupBy = nil
	c.Window = "tumbling 10s"
	c.Aggregate = conf.Pairs{
		{Key: "mean", Value: "twa(value)"}, {Key: "duty", Value: "duty(value >= 20)"}, {Key: "edges", Value: "edges(value >= 20)"},
		{Key: "cold", Value: "time_in_state(value, 10)"}, {Key: "top", Value: "top_k(value, 1)"}, {Key: "all", Value: "collect(value, 2)"},
	}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	cut := edged.Instant{Wall: 1030 * sec}
	m.addBlock(blockOf("a", cut, msg{"site/1/gpio/1", `{"value":10}`, 1002 * sec}, msg{"site/1/gpio/1", `{"value":20}`, 1006 * sec},
		msg{"site/1/gpio/1", `{"value":10}`, 1015 * sec}, msg{"site/1/gpio/1", `{"value":30}`, 1019 * sec}, msg{"site/1/gpio/1", `{"value":30}`, 1021 * sec}))
	for _, r := range c.From {
		m.addTick(r, cut)
	}
	step(t, s)
	var got [][]edged.Value
	for _, r := range m.results[c.Name] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil {
			t.Fatal(err)
		}
		for row := range slices.Chunk(rows.Cells, len(rows.Names)) {
			got = append(got, row[2:8])
		}
	}
	num, json := edged.NumberValue, edged.JSONValue
	want := [][]edged.Value{
		{num((10*4 + 20*4) / 8.0), num(0.5), num(1), num(4), json(`[{"value":10,"count":1}]`), json("[10,20]")},
		{num((20*5 + 10*4 + 30*1) / 10.0), num(0.6), num(2), num(4), json(`[{"value":10,"count":1}]`), json("[10,30]")},
		{num(30), num(1), num(0), num(0), json(`[{"value":30,"count":1}]`), json("[30]")},
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

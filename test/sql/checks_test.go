package sql

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"edged/batches"
)

// check is one aggregate that is compared. function is how the stream computes it; SQL computes it as column name.
type check struct {
	name, function string
	rule           rule
	share          string // of a quantile, as SQL
	none           any    // what it is if there is nothing; nil: null
}

// rule says what is wrong with a result, "" if nothing is. all is what SQL says of the window.
type rule func(got, want any, all map[string]any) string

var percentile = regexp.MustCompile(`^p(\d\d)$`)

// checks are all of them. The columns: v and c are numbers and a counter, b is true or false, s a state, m of mixed kinds, h of many values.
func checks() []check {
	all := []check{
		{name: "count", function: "count()", rule: exactly},
		{name: "sum", function: "sum(v)", rule: closely},
		{name: "min", function: "min(v)", rule: exactly},
		{name: "max", function: "max(v)", rule: exactly},
		{name: "avg", function: "avg(v)", rule: closely},
		{name: "first", function: "first(m)", rule: exactly},
		{name: "last", function: "last(m)", rule: exactly},
		{name: "stddev", function: "stddev(v)", rule: closely},
		{name: "variance", function: "variance(v)", rule: closely},
		{name: "distinct", function: "distinct(h)", rule: distinct},
		{name: "rate", function: "rate(c)", rule: closely},
		{name: "increase", function: "increase(c)", rule: closely},
		{name: "delta", function: "delta(v)", rule: closely},
		{name: "integral", function: "integral(v)", rule: closely},
		{name: "twa", function: "twa(v)", rule: closely},
		{name: "mode", function: "mode(m)", rule: exactly},
		{name: "mode_many", function: "mode(h)", rule: modeOfMany},
		{name: "top_k", function: "top_k(m, 3)", rule: exactly},
		{name: "top_k_many", function: "top_k(h, 5)", rule: topOfMany},
		{name: "histogram", function: "histogram(v, -10, 0, 12.5, 100)", rule: exactly},
		{name: "collect", function: "collect(m, 5)", rule: exactly},
		{name: "edges", function: "edges(b)", rule: exactly, none: 0.0},
		{name: "pulses", function: "pulses(b)", rule: exactly, none: 0.0},
		{name: "duty", function: "duty(b)", rule: closely},
		{name: "time_in_state", function: `time_in_state(s, "on")`, rule: closely},
		{name: "median", function: "median(v)", rule: roughly, share: "(50 / 100.0)"},
		{name: "quantile", function: "quantile(v, 0.995)", rule: roughly, share: "0.995"},
		{name: "quantile_0", function: "quantile(v, 0)", rule: roughly, share: "0"},
		{name: "quantile_1", function: "quantile(v, 1)", rule: roughly, share: "1"},
	}
	for _, name := range batches.Aggregates.Names() {
		if p := percentile.FindStringSubmatch(name); p != nil {
			all = append(all, check{name: name, function: name + "(v)", rule: roughly, share: "(" + p[1] + " / 100.0)"})
		}
	}
	return all
}

func TestEveryAggregateIsCompared(t *testing.T) {
	have := map[string]bool{}
	for _, c := range checks() {
		name, _, _ := strings.Cut(c.function, "(")
		have[name] = true
	}
	for _, name := range batches.Aggregates.Names() {
		if !have[name] {
			t.Errorf("%s is not compared with SQL: add a line to checks, and its query", name)
		}
	}
}

func exactly(got, want any, _ map[string]any) string {
	if got != want {
		return "not the same"
	}
	return ""
}

// within compares numbers: nothing else may differ.
func within(got, want any, bound func(want float64) float64) string {
	g, ok := got.(float64)
	w, is := want.(float64)
	if !ok || !is {
		return exactly(got, want, nil)
	}
	if d := math.Abs(g - w); d > bound(w) {
		return fmt.Sprintf("off by %g", d)
	}
	return ""
}

// closely leaves room for rounding: one part in a thousand million, and as much where the terms cancel.
func closely(got, want any, _ map[string]any) string {
	return within(got, want, func(w float64) float64 { return 1e-9 * max(1, math.Abs(w)) })
}

// roughly is what is promised of quantiles: 1 %.
func roughly(got, want any, _ map[string]any) string {
	return within(got, want, func(w float64) float64 { return (0.01 + 1e-9) * math.Abs(w) })
}

// distinct leaves four standard errors to one window (0.81 % each, with 16 Ki registers); TestAgainstSQL holds all of them together to the 1 %
// that is promised.
func distinct(got, want any, _ map[string]any) string {
	return within(got, want, func(w float64) float64 { return math.Ceil(4 * 0.0081 * w) })
}

// exact says that a tally of the column h has to be exact, and how much too high it may be.
func exact(all map[string]any) (is bool, tooHigh float64) {
	return all["different"].(float64) <= 256, math.Floor(all["rows"].(float64) / 256)
}

// modeOfMany: a value whose lead is greater than the counts may be off is the mode.
func modeOfMany(got, want any, all map[string]any) string {
	if is, tooHigh := exact(all); !is && all["lead"].(float64) <= tooHigh {
		return ""
	}
	return exactly(got, want, all)
}

// topOfMany: the i-th count is not too low, and at most rows / 256 too high.
func topOfMany(got, want any, all map[string]any) string {
	is, tooHigh := exact(all)
	if is {
		return exactly(got, want, all)
	}
	g, w := tops(got), tops(want)
	if len(g) != len(w) {
		return "not as many"
	}
	truth := map[float64]float64{}
	for _, e := range w {
		truth[e.Value] = e.Count
	}
	for i := range g {
		if g[i].Count < w[i].Count || g[i].Count > w[i].Count+tooHigh {
			return fmt.Sprintf("count %d is not from %g to %g", i, w[i].Count, w[i].Count+tooHigh)
		}
		if n, ok := truth[g[i].Value]; ok && (g[i].Count < n || g[i].Count > n+tooHigh) {
			return fmt.Sprintf("the count of %g is not from %g to %g", g[i].Value, n, n+tooHigh)
		}
	}
	return ""
}

type top struct{ Value, Count float64 }

func tops(v any) (list []top) {
	if text, ok := v.(string); ok && json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	return list
}

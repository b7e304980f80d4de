package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

// flat notes how the processor time of a message goes with something that grows.
func flat(t *testing.T, key string, names []string, cost []float64, notes ...string) {
	var points []string
	for i, n := range names {
		points = append(points, fmt.Sprintf("%s: %.1f", n, cost[i]))
	}
	g := growth(cost)
	sitting.say(t, key, measured{figure: g, edged: fmt.Sprintf("at most %.2f × an earlier point", g), partner: "itself", ratio: spread(cost),
		notes: append([]string{fmt.Sprintf("CPU s per million at %s. Judged is the growth: a later point against any earlier one. The ratio is the dearest point against the cheapest", strings.Join(points, ", "))}, notes...)})
}

// byLoad lets the load grow.
func byLoad(t *testing.T) {
	g := started(t, store(whole, burst))
	defer g.end()
	g.spend(t)
	var names, notes []string
	var cost []float64
	for _, rate := range []int{1000, 10000, 100000, 300000} {
		p := g.press(t, paced(rate, 4*time.Second)...)
		names, cost = append(names, fmt.Sprintf("%d k/s", rate/1000)), append(cost, p.cpu)
		if p.Rate < 0.9*float64(rate) {
			notes = append(notes, fmt.Sprintf("of %d k/s %.0f k/s were reached", rate/1000, p.Rate/1000))
		}
	}
	flat(t, "flat-load", names, cost, append(notes, "what is spent for each commit and each second is shared by more messages as the load grows: the goals at 5,000 msg/s and at saturation allow ten to one")...)
}

const flatRate = 50000 // messages a second, at which the other figures are taken

// byTopics lets the number of topics grow; the groups stay ten.
func byTopics(t *testing.T) {
	config := strings.Replace(whole, `{ device = "topic[1]", pin = "topic[3]" }`, `{ device = "topic[1]" }`, 1)
	var names []string
	var cost []float64
	for _, topics := range []int{10, 1000, 10000, 100000} {
		g := started(t, store(config, burst))
		load := []any{"-n", 10, "-w", 4000, "-qos", 1, "-rate", flatRate, "-spread", "-pins", topics / 10}
		g.press(t, append(load, "-m", max(topics, flatRate))...) // each was seen once
		p := g.press(t, append(load, "-d", lasting(4*time.Second))...)
		g.end()
		names, cost = append(names, fmt.Sprintf("%d topics", topics)), append(cost, p.cpu)
	}
	flat(t, "flat-topics", names, cost, fmt.Sprintf("%d msg/s, 10 connections and 10 groups; each topic was seen once before", flatRate))
}

// byGroups lets the number of groups grow, by a field of the payload; the topics stay ten.
func byGroups(t *testing.T) {
	config := strings.NewReplacer(`{ device = "topic[1]", pin = "topic[3]" }`, `{ device = "topic[1]", pin = "pin" }`, `["site/+/gpio/+"]`, `["site/#"]`).Replace(whole)
	var names []string
	var cost []float64
	for _, groups := range []int{10, 1000, 10000} {
		g := started(t, store(config, burst))
		load := []any{"-n", 10, "-w", 4000, "-qos", 1, "-rate", flatRate, "-spread", "-pins", groups / 10, "-topic", "site/{conn}/all"}
		g.press(t, append(load, "-m", flatRate)...)
		p := g.press(t, append(load, "-d", lasting(10*time.Second))...) // in which windows close once
		g.grouped(t, groups)
		g.end()
		names, cost = append(names, fmt.Sprintf("%d groups", groups)), append(cost, p.cpu)
	}
	flat(t, "flat-groups", names, cost, fmt.Sprintf("%d msg/s, 10 connections and 10 topics, ten seconds, in which the windows of ten seconds close once", flatRate))
}

// grouped waits until the stream of the windows has had so many groups: they are open, or in the rows of a window that is closed.
func (g *gateway) grouped(t *testing.T, groups int) {
	t.Helper()
	harness.Until(t, 30*time.Second, fmt.Sprintf("there are %d groups", groups), func() bool {
		if g.Metric(`edged_stream_groups{stream="pins"}`) == float64(groups) {
			return true
		}
		seen := map[string]bool{}
		for _, row := range g.Rows("aggregates.ndjson") {
			seen[fmt.Sprint(row["device"], "/", row["pin"])] = true
		}
		return len(seen) == groups
	})
}

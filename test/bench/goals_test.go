package bench

import "fmt"

// goal is a line of the table.
type goal struct {
	key     string // in bench/reasons.txt
	what    string
	unit    string
	more    bool // more is better
	goal    float64
	stretch float64 // 0: there is none
	limit   string  // what is said in place of the stretch's number
}

const (
	times  = " ×"
	cpuPer = " CPU s"
)

// goals is the table, in the order in which it is printed.
var goals = []goal{
	{key: "durable-mosquitto", what: "durable QoS 1, 50 connections, whole pipeline, against Mosquitto alone", unit: times, more: true, goal: 2.8, stretch: 4.5},
	{key: "durable-mochi", what: "… against bare mochi", unit: times, more: true, goal: 3.2, stretch: 5.5},
	{key: "durable-ceiling", what: "… against parsing and group-commit fdatasync (the ceiling)", unit: times, more: true, goal: 0.28, stretch: 0.5},
	{key: "intake-ceiling", what: "intake alone, no stream, against the ceiling", unit: times, more: true, goal: 0.45, stretch: 0.65},
	{key: "one-ceiling", what: "one connection, window 100, 10 s, against the ceiling", unit: times, more: true, goal: 0.4, stretch: 0.65},
	{key: "qos0-mosquitto", what: "QoS 0, 50 connections, against Mosquitto alone", unit: times, more: true, goal: 1.8, stretch: 3.5},
	{key: "cpu-saturated", what: "CPU per million at saturation, everything", unit: cpuPer, goal: 2.7, stretch: 1.5},
	{key: "cpu-5000", what: "CPU per million at 5,000 msg/s", unit: cpuPer, goal: 25, stretch: 17},
	{key: "ack-5000", what: "ack p99 at 5,000 msg/s, burst spent", unit: " ms", goal: 230},
	{key: "written-5000", what: "… bytes written per stored byte meanwhile", goal: 1.5, stretch: 1.0},
	{key: "ack-eager", what: "ack p99 at 5,000 msg/s, commit = \"eager\", 10 ms more per fdatasync", unit: " ms", goal: 60, stretch: 45},
	{key: "wear", what: "50 sensors, a QoS 1 message a second each, burst spent: written to the store a day", unit: " GB", goal: 7},
	{key: "wear-1s", what: "… with commit_interval = \"1s\"", unit: " GB", stretch: 2.5},
	{key: "rss-idle", what: "RssAnon, idle", unit: " MiB", goal: 15, stretch: 12},
	{key: "rss-saturated", what: "RssAnon at saturation, at most", unit: " MiB", goal: 64, stretch: 40},
	{key: "size", what: "binary, stripped, arm64", unit: " MB", goal: 15, stretch: 12},
	{key: "ready", what: "time to ready, empty store", unit: " ms", goal: 100, stretch: 50},
	{key: "flat-load", what: "cost of a message as load grows, 1 k to 300 k/s", unit: times, goal: 1.5, stretch: 1, limit: "falls"},
	{key: "flat-topics", what: "cost of a message as topics grow, 10 to 100 k", unit: times, goal: 1.5, stretch: 1, limit: "falls"},
	{key: "flat-backlog", what: "cost of a message as the backlog grows, 0 to 1 GiB", unit: times, goal: 1.5, stretch: 1, limit: "falls"},
	{key: "flat-groups", what: "cost of a message as groups grow, 10 to 10 k", unit: times, goal: 1.5, stretch: 1, limit: "falls"},
	{key: "catchup-66", what: "draining 1 GiB into the file sink while 5,000 msg/s come in, rows of 66 B", unit: " k rows/s", more: true, goal: 400, stretch: 800},
	{key: "catchup-1k", what: "… rows of 1 KiB", unit: " MB/s", more: true, goal: 150, stretch: 300},
	{key: "catchup-intake", what: "… ack p99 of the 5,000 msg/s meanwhile (the promise of the line above)", unit: " ms", goal: 230},
}

// bound says a goal or a stretch.
func (g *goal) bound(v float64, words string) string {
	switch {
	case v == 0:
		return "–"
	case words != "":
		return words
	case g.more:
		return fmt.Sprintf("≥ %g%s", v, g.unit)
	}
	return fmt.Sprintf("≤ %g%s", v, g.unit)
}

// meets reports whether a figure is as good as a bound; false if there is no bound.
func (g *goal) meets(figure, bound float64) bool {
	if bound == 0 {
		return false
	}
	if g.more {
		return figure >= bound
	}
	return figure <= bound
}

// reached says how far a figure came.
func (g *goal) reached(figure float64) (says string, yes bool) {
	switch {
	case g.meets(figure, g.stretch):
		return "stretch", true
	case g.meets(figure, g.goal):
		return "yes", true
	}
	return "**no**", false
}

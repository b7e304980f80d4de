package bench

import (
	"fmt"
	"testing"
	"time"
)

// TestTable measures the table of goals, and writes bench/results.md if all of it was measured. EDGED_BENCH=short only shows that it can be measured.
func TestTable(t *testing.T) {
	wanted(t)
	sitting.commit = commit()
	describes := machine(t)
	for _, line := range describes {
		fmt.Println(line)
	}
	groups := []struct {
		name    string
		measure func(*testing.T)
		keys    []string
	}{
		{"small", small, []string{"rss-idle", "size", "ready"}},
		{"durable", durable, []string{"durable-mosquitto", "durable-mochi", "durable-ceiling", "intake-ceiling", "cpu-saturated", "rss-saturated"}},
		{"one", one, []string{"one-ceiling"}},
		{"qos0", qos0, []string{"qos0-mosquitto"}},
		{"steady", steady, []string{"cpu-5000", "ack-5000", "written-5000"}},
		{"eager", eager, []string{"ack-eager"}},
		{"wear", wear, []string{"wear", "wear-1s"}},
		{"load", byLoad, []string{"flat-load"}},
		{"topics", byTopics, []string{"flat-topics"}},
		{"groups", byGroups, []string{"flat-groups"}},
		{"backlog", byBacklog, []string{"flat-backlog", "catchup-66", "catchup-1k", "catchup-intake"}},
	}
	ran := 0
	for _, g := range groups {
		began := time.Now()
		t.Run(g.name, func(t *testing.T) { ran++; g.measure(t) })
		if d := time.Since(began); d > time.Second {
			fmt.Printf("%-16s took %.0f s\n", g.name, d.Seconds())
		}
		for _, k := range g.keys {
			if _, ok := sitting.figures[k]; !ok {
				sitting.figures[k] = measured{missing: "the measurement failed"}
			}
		}
	}
	if ran == len(groups) {
		sitting.write(t, describes)
	}
}

package configs

import (
	"strings"
	"testing"
)

func TestBackpressureKeys(t *testing.T) {
	const text = `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
KEYS
[stream.a]
from = ["field"]
topics = ["site/#"]
sinks = ["one"]
[sink.one]
type = "console"
SINK
`
	with := func(keys, sink string) string { return strings.NewReplacer("KEYS", keys, "SINK", sink).Replace(text) }
	c, problems, _ := load(t, with("backpressure = true\nbackpressure_min_rate = \"50/s\"\nmax_rate = \"50/s\"", "backpressure = true"))
	if len(problems) > 0 || !c.Receivers[0].Common.Backpressure || c.Receivers[0].Common.MinRate != 50 || !c.Sinks[0].Common.Backpressure {
		t.Fatalf("%v", problems)
	}
	c, problems, _ = load(t, with(`max_rate = "10/s"`, "")) // below the default of the least rate, which nobody has asked for
	if len(problems) > 0 || c.Receivers[0].Common.Backpressure || c.Receivers[0].Common.MinRate != 100 || c.Sinks[0].Common.Backpressure {
		t.Fatalf("%v", problems)
	}
	if _, problems, notes := load(t, with("backpressure = true\n[batch]\ninterval = \"200ms\"", "")); len(problems) > 0 || !strings.Contains(strings.Join(notes, "\n"), "batch.interval (200ms) is not longer than store.commit_interval (200ms)") {
		t.Errorf("%v, %v", problems, notes)
	}
	if _, _, notes := load(t, with("[batch]\ninterval = \"200ms\"", "backpressure = true")); strings.Contains(strings.Join(notes, "\n"), "commit_interval") {
		t.Errorf("without backpressure: %v", notes)
	}
	for keys, want := range map[string]string{
		`backpressure = "yes"`:                                 "f:7: backpressure: want true or false",
		`backpressure_min_rate = ""`:                           "f:7: backpressure_min_rate: it must be above 0",
		`backpressure_min_rate = "0/s"`:                        `f:7: backpressure_min_rate: "0/s" is not a rate`,
		"max_rate = \"9/s\"\nbackpressure_min_rate = \"10/s\"": "f:8: backpressure_min_rate: 10/s is above max_rate, 9/s",
	} {
		if _, problems, _ := load(t, with(keys, "")); len(problems) != 1 || !strings.HasPrefix(problems[0], want) {
			t.Errorf("%s: %v, want %s", keys, problems, want)
		}
	}
}

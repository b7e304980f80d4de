package configs

import (
	"slices"
	"strings"
	"testing"
)

// A join is held against what its other side is; what follows from another mistake is not said.
func TestJoinsAreHeldAgainstTheirReceivers(t *testing.T) {
	const base = `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[receiver.devices]
type = "table"
path = "devices.ndjson"
[receiver.odd]
type = "tabel"
[stream.s]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
on = { id = "topic[1]" }
[sink.archive]
type = "file"
path = "raw.ndjson"
`
	const odd = `f:11: type: want "mqtt", "tcp", "exec", "file", "http", "table" or "replay", have "tabel"; did you mean "table"?`
	for keys, want := range map[string][]string{
		`join = { d = "devices" }`:                    {odd},
		`join = { d = "device" }`:                     {odd, `f:17: join: there is no [receiver.device] or [stream.device]; did you mean "devices"?`},
		`join = { d = "odd" }`:                        {odd},
		"join = { d = \"devices\" }\nwithin = \"5s\"": {odd, `f:18: within: devices is a table, which has no time; leave it out`},
	} {
		_, problems, _ := load(t, strings.Replace(base, "\n[sink", "\n"+keys+"\n[sink", 1))
		if !slices.Equal(problems, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", keys, problems, want)
		}
	}
	valid := strings.Replace(base, "[receiver.odd]\ntype = \"tabel\"\n", "", 1)
	for decode, note := range map[string]bool{"": true, "\njoin_decode = \"json\"": false} {
		_, problems, notes := load(t, strings.Replace(valid, "\n[sink", "\njoin = { d = \"devices\" }"+decode+"\n[sink", 1))
		said := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, `set join_decode = "json"`) })
		if len(problems) > 0 || said != note {
			t.Errorf("%q: %q %q", decode, problems, notes)
		}
	}
}

// What a stream publishes must not come back by the other side of its join either.
func TestALoopThroughAJoinIsFound(t *testing.T) {
	_, problems, _ := load(t, `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[receiver.back]
type = "mqtt"
topics = ["results/#"]
[stream.s]
from = ["field"]
topics = ["site/#"]
join = { r = "back" }
on = { id = "topic[1]" }
within = "5s"
sinks = ["out"]
[sink.out]
type = "mqtt"
topic = "results/x"
`)
	if len(problems) != 1 || !strings.Contains(problems[0], "flows back into it, for ever") {
		t.Errorf("%q", problems)
	}
}

package configs

import (
	"slices"
	"strings"
	"testing"
)

const lateBase = `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
time = "ts"
select = { celsius = "value - 273", kind = "kind" }
group_by = { device = "topic[1]", kind = "lower(kind)" }
window = "tumbling 10s"
aggregate = { mean = "avg(celsius)" }
sinks = ["out"]
late = "strays"
[sink.out]
type = "file"
path = "out.ndjson"
[sink.strays]
type = "file"
path = "strays.ndjson"
`

// A sink that late rows go to gets a stream of its own; what cannot be is said.
func TestLate(t *testing.T) {
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(lateBase) }
	c, problems, notes := load(t, lateBase)
	if len(problems)+len(notes) > 0 {
		t.Fatal(problems, notes)
	}
	if s := c.Sinks[1]; !slices.Equal(s.Streams, []string{"pins.late"}) {
		t.Errorf("sink strays gets %v", s.Streams)
	}
	if got := c.columnsFor([]string{"pins.late"})["pins.late"]; !slices.Equal(got, []string{"time", "topic", "device", "kind", "celsius", "epoch", "clock_trusted"}) {
		t.Errorf("its columns are %v", got)
	}
	if got := c.Keys([]string{"pins.late", "pins"}); !slices.Equal(got["pins.late"], []string{"device", "kind", "topic"}) || !slices.Equal(got["pins"], []string{"device", "kind"}) {
		t.Errorf("its keys are %v", got)
	}
	for text, want := range map[string]string{
		change(`late = "strays"`, `late = "stray"`): `f:16: late: there is no [sink.stray]; did you mean "strays"?`,
		change(`time = "ts"`, ``):                   `f:16: late is for a stream with a time field; this one has time = "arrival", by which no row is late`,
		change(`tumbling 10s`, `count 10`):          `f:16: late is for tumbling, sliding and session windows: in a window = "count 10" no row is late`,
		change("window = \"tumbling 10s\"\naggregate = { mean = \"avg(celsius)\" }\n", "", "group_by = { device = \"topic[1]\", kind = \"lower(kind)\" }\n", ""): `f:13: late is for tumbling, sliding and session windows: without a window no row is late`,
		change(`late = "strays"`, `late = "out"`, `path = "out.ndjson"`, "path = \"out.csv\"\nformat = \"csv\""):                                                 `f:20: format: csv takes one stream, and this sink gets pins, pins.late; give each a file of its own, or use ndjson`,
		change(`[stream.pins]`, `[stream."pins.late"]`): `f:7: [stream.pins.late]: a name is made of letters, digits, - and _; '.' is none of them`,
		change("type = \"file\"\npath = \"strays.ndjson\"", "type = \"mqtt\"\ntopic = \"site/x/gpio/late\""): "f:22: topic: what stream pins publishes here flows back into it, for ever: sink strays publishes to site/x/gpio/late, and receiver field takes site/# for stream pins; " +
			"publish to a topic that none of these receivers takes, or narrow the topics of the stream",
		change("type = \"file\"\npath = \"strays.ndjson\"", "type = \"http\"\nurl = \"http://127.0.0.1:9/\"\nbody = { row = '{{json .mean}}' }"): `f:23: body.row: no stream of this sink has a column "mean"; there are celsius, clock_trusted, device, epoch, kind, stream, time, topic`,
	} {
		_, problems, _ := load(t, text)
		if !slices.Contains(problems, want) {
			t.Errorf("got  %q\nwant %s", problems, want)
		}
	}
	// Without it the sink gets nothing; with it, it can stop the others.
	_, problems, notes = load(t, change(`late = "strays"`, ``))
	if len(problems) > 0 || !slices.Equal(notes, []string{"f:20: sink strays gets nothing: no stream names it"}) {
		t.Error(problems, notes)
	}
	_, problems, notes = load(t, change("type = \"file\"\npath = \"strays.ndjson\"", "type = \"http\"\nurl = \"http://127.0.0.1:9/\""))
	if len(problems) > 0 || len(notes) != 1 || !strings.Contains(notes[0], "stream pins: if sink strays is away until it holds back") {
		t.Error(problems, notes)
	}
	// It is no part of what results depend on.
	without, _, _ := load(t, change(`late = "strays"`, ``))
	if without.Streams[0].Plan.Definition != c.Streams[0].Plan.Definition {
		t.Error("late is part of the definition")
	}
	if without.Written["stream.pins"] == c.Written["stream.pins"] {
		t.Error("a reload would not notice late")
	}
}

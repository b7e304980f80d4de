package configs

import (
	"slices"
	"strings"
	"testing"
)

// A template that names a column which none of the sink's streams has is a mistake of the text, found when it is loaded.
func TestColumnsOfTemplates(t *testing.T) {
	text := func(row string) string {
		return `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["cloud"]
[stream.means]
from = ["field"]
topics = ["site/#"]
group_by = { device = "topic[1]" }
window = "tumbling 10s"
aggregate = { mean = "avg(value)" }
sinks = ["cloud"]
[sink.cloud]
type = "http"
url = "http://127.0.0.1:9/"
body = { row = '` + row + `' }
`
	}
	if _, problems, _ := load(t, text(`{{json .device}} {{json .mean}} {{unix .window_end}} {{json .payload}} {{json .stream}}`)); len(problems) > 0 {
		t.Error(problems)
	}
	_, problems, _ := load(t, text(`{{json .meen}}`))
	want := []string{`f:21: body.row: no stream of this sink has a column "meen"; did you mean "mean"?; there are clock_trusted, device, epoch, mean, partial, payload, replay, stream, time, topic, window_end, window_start`}
	if !slices.Equal(problems, want) {
		t.Errorf("got %q", problems)
	}
	if _, problems, _ := load(t, text(`{{json .meen}} {{json .devise}} {{json .meen}}`)); len(problems) != 2 {
		t.Errorf("a line for each name: %q", problems)
	}
	// columns of a stream that does not compile are not known: that is the only mistake then
	_, problems, _ = load(t, text(`{{json .meen}}`)+"[stream.broken]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nwhere = \"(\"\nsinks = [\"cloud\"]\n")
	if len(problems) != 1 {
		t.Errorf("got %q", problems)
	}
}

// So are those that the topics, tags and measurements of other sinks name. What only some of the streams have is a note where something else would be
// written in its place.
func TestColumnsThatSinksName(t *testing.T) {
	text := func(sink string) string {
		return `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
select = { temp = "value" }
sinks = ["out"]
[stream.means]
from = ["field"]
topics = ["site/#"]
group_by = { device = "topic[1]" }
window = "tumbling 10s"
emit_every = "2s"
aggregate = { mean = "avg(value)" }
sinks = ["out"]
[sink.out]
` + sink
	}
	const (
		mqtt   = "type = \"mqtt\"\nqos = 1\n"
		influx = "type = \"influx\"\nurl = \"http://127.0.0.1:8086\"\nbucket = \"b\"\norg = \"o\"\n"
		all    = "; there are clock_trusted, device, epoch, mean, partial, replay, revision, stream, temp, time, topic, window_end, window_start"
	)
	for sink, want := range map[string][]string{
		mqtt + `topic = "results/{stream}"`:                 nil,
		mqtt + `topic = "results/{stream}/{clock_trusted}"`: nil,
		mqtt + `topic = "results/{device}"`:                 {`f:23: topic: the rows of stream raw have no column "device": null stands in its place`},
		mqtt + `topic = "results/{devise}/{meen}/{devise}"`: {
			`f:23: topic: no stream of this sink has a column "devise"; did you mean "device"?` + all, `f:23: topic: no stream of this sink has a column "meen"; did you mean "mean"?` + all,
		},
		mqtt + `payload = "value"`:                 {`f:23: payload: no stream of this sink has a column "value"` + all},
		mqtt + `payload = "payload"`:               {`f:23: payload: no stream of this sink has a column "payload"` + all}, // select stands in its place
		mqtt + `payload = "temp"`:                  {`f:23: payload: the rows of stream means have no column "temp": null stands in its place`},
		influx + `tags = ["device", "topic"]`:      nil,
		influx + `tags = ["devise", "x", "topic"]`: {`f:25: tags: no stream of this sink has a column "devise"; did you mean "device"?` + all, `f:25: tags: no stream of this sink has a column "x"` + all},
		influx + `measurement = "{kind}"`:          {`f:25: measurement: no stream of this sink has a column "kind"` + all},
		influx + `measurement = "{temp}"`:          {`f:25: measurement: the rows of stream means have no column "temp": null stands in its place`},
		influx + `measurement = "{"`:               {`f:25: measurement: "{": there is a { without a }`},
	} {
		_, problems, notes := load(t, text(sink))
		var said []string
		for _, line := range append(problems, notes...) {
			if strings.HasPrefix(line, "f:23:") || strings.HasPrefix(line, "f:25:") {
				said = append(said, line)
			}
		}
		if !slices.Equal(said, want) {
			t.Errorf("%s\ngot  %q\nwant %q", sink, said, want)
		}
	}
}

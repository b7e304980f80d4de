package configs

import (
	"slices"
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
	// columns of a stream that does not compile are not known: that is the only mistake then
	_, problems, _ = load(t, text(`{{json .meen}}`)+"[stream.broken]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nwhere = \"(\"\nsinks = [\"cloud\"]\n")
	if len(problems) != 1 {
		t.Errorf("got %q", problems)
	}
}

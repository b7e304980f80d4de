package load

import "strings"

// Config is the usual configuration of a fault test: raw rows in raw.ndjson, windows of two seconds in aggregates.ndjson. It is for
// harness.New; mqttload publishes to topics that both streams take.
const Config = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[store]
checkpoint_interval = "2s"
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 2s"
aggregate = { n = "count()", mean = "avg(value)" }
sinks = ["aggregates"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.aggregates]
type = "file"
path = "aggregates.ndjson"
`

// With adds lines to a table of Config: With(Config, "store", `max_bytes = "32MiB"`).
func With(config, table, lines string) string {
	head := "[" + table + "]\n"
	if !strings.Contains(config, head) {
		return config + head + lines + "\n"
	}
	return strings.Replace(config, head, head+lines+"\n", 1)
}

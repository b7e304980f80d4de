package load

import "strings"

// Gateway takes in over MQTT what mqttload publishes, and has no stream. It is for harness.New.
const Gateway = `
data_dir = "{{dir}}"
[http]
listen = "127.0.0.1:{{http}}"
[broker]
listen = ["tcp://127.0.0.1:{{broker}}"]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
`

// Whole is the configuration of the goals of speed: JSON, windows of ten seconds by device and pin, a raw file and one of aggregates; the rest is as it comes.
const Whole = Gateway + "[store]\n" + Raw + `
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 10s"
aggregate = { n = "count()", mean = "avg(value)", min = "min(value)", max = "max(value)" }
sinks = ["aggregates"]
[sink.aggregates]
type = "file"
path = "aggregates.ndjson"
`

// Raw writes all that comes to raw.ndjson.
const Raw = `
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[sink.archive]
type = "file"
path = "raw.ndjson"
`

// Config is the usual configuration of a fault test: raw rows in raw.ndjson, windows of two seconds in aggregates.ndjson. It is for
// harness.New; mqttload publishes to topics that both streams take.
const Config = Gateway + `
[store]
checkpoint_interval = "2s"
` + Raw + `
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 2s"
aggregate = { n = "count()", mean = "avg(value)" }
sinks = ["aggregates"]
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

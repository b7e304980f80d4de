// Package sinks lists the kinds of sink, and holds what all of them have in common. The delivery of rows to them is in
// sinks/delivery; what a kind is, in sinks/spec; the suite that every kind passes, in sinks/sinktest.
package sinks

import (
	"edged/internal/kinds"
	"edged/sinks/console"
	"edged/sinks/exec"
	"edged/sinks/file"
	"edged/sinks/http"
	"edged/sinks/influx"
	"edged/sinks/mqtt"
	"edged/sinks/spec"
)

// Kinds lists the values of type. remote makes an external broker's settings; they belong to the broker room.
func Kinds(remote func() spec.Remote) kinds.List[spec.Config] {
	return kinds.List[spec.Config]{
		{Name: "file", Doc: "NDJSON or CSV file with rotation and compression; each row once, also across kill -9", New: func() spec.Config { return file.Default() }},
		{Name: "http", Doc: "POST of NDJSON or a JSON array, with an Idempotency-Key", New: func() spec.Config { return http.Default() }},
		{Name: "exec", Doc: "rows on the standard input of a program, which answers each with a line", New: func() spec.Config { return exec.Default() }},
		{Name: "mqtt", Doc: "messages to the embedded broker, or to an external one with broker = \"tcp://…\"; one a row, acknowledged by the broker", New: func() spec.Config { return mqtt.Default(remote()) }},
		{Name: "influx", Doc: "line protocol over HTTP to InfluxDB 1, 2 or 3; a row that is written again is the same point", New: func() spec.Config { return influx.Default() }},
		{Name: "console", Doc: "rows on standard output, as Spark's print() shows them if wanted", New: func() spec.Config { return console.Default() }},
	}
}

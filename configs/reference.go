package configs

import (
	"fmt"
	"strings"

	"edged/batches"
	"edged/blockstore"
	"edged/broker"
	"edged/gpio"
	"edged/gpio/wave"
	"edged/internal/conf"
	"edged/receiver"
	"edged/sinks"
	"edged/sinks/spec"
)

// Reference is the configuration reference, in Markdown, made from the structs that the configuration is bound to.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

The configuration is one TOML file: ` + "`$CONFIGURATION_DIRECTORY/edged.toml`, which systemd sets, else `/etc/edged/edged.toml`, or `--config FILE`" + `.
` + "`edged check`" + ` finds every mistake at once. This page is made from the code by ` + "`make docs`" + `.

Durations are "200ms", "10s", "5m", "24h" or "7d"; sizes "64MiB" (1024) or "64MB" (1000); rates "500/s", "30/min" or "1000/h".
Relative paths are below data_dir. Secrets come from files: a relative one is looked for in ` + "`$CREDENTIALS_DIRECTORY`" + ` (in the
service: a file in /etc/edged/secrets), then below data_dir. What is in ` + "`$CREDENTIALS_DIRECTORY`" + ` are copies that systemd makes when the
service starts: a change needs ` + "`systemctl restart edged`" + `. Files that the service can read where they are, named by absolute paths, are
read again when they change and on ` + "`systemctl reload edged`" + ` (SIGHUP), where a key says so.

`)
	section(&b, "Top of the file", "", "", defaultTop())
	section(&b, "Log", "log", "", defaultLog())
	section(&b, "HTTP: health, metrics, status", "http", "", defaultHTTP())
	section(&b, "Embedded broker", "broker", "Without this table no broker is started.", broker.Default())
	section(&b, "Pins", "gpio", "", gpio.Default())
	section(&b, "One pin", "gpio.pin.NAME", "", gpio.DefaultPin())
	for _, k := range wave.Kinds() {
		section(&b, "Simulated pin: wave.kind = \""+k.Name+"\"", "gpio.pin.NAME", k.Doc+". Keys of `wave = { kind = \""+k.Name+"\", … }`:", k.New())
	}
	section(&b, "Receivers", "receiver.NAME", "Keys of every receiver; those of its kind follow.", receiver.DefaultCommon())
	for _, k := range ReceiverKinds() {
		sections(&b, "Receiver: type = \""+k.Name+"\"", "receiver.NAME", k.Doc+".", k.New().Fields()...)
	}
	section(&b, "Blocks", "block", "", receiver.DefaultBlock())
	section(&b, "Store", "store", "", blockstore.Default())
	section(&b, "Batches", "batch", "", batches.Default())
	section(&b, "Dead letters", "dead_letters", "", sinks.DefaultDeadLetters())
	section(&b, "Streams", "stream.NAME", "The way of a row is fixed: decode, flat_map, time, join, lag, where, select, changed, throttle, sample, group_by, window, aggregate, having. A stream that needs another order is two streams. The columns of a row stand in the order in which they are written here.", batches.DefaultStream())
	for _, l := range Lists()[1:3] {
		fmt.Fprintf(&b, "\n### %s\n\n| | |\n|---|---|\n", strings.ToUpper(l.Title[:1])+l.Title[1:])
		for _, k := range l.Kinds {
			fmt.Fprintf(&b, "| `%s` | %s |\n", k.Name, cell(k.Doc))
		}
	}
	section(&b, "Sinks", "sink.NAME", "Keys of every sink; those of its kind follow.", sinks.DefaultCommon())
	for _, k := range SinkKinds() {
		sections(&b, "Sink: type = \""+k.Name+"\"", "sink.NAME", k.Doc+".", spec.PartsOf(k.New())...)
	}
	return b.String()
}

func section(b *strings.Builder, title, table, text string, config any) {
	sections(b, title, table, text, config)
}

func sections(b *strings.Builder, title, table, text string, configs ...any) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if table != "" {
		fmt.Fprintf(b, "`[%s]`", table)
		if text != "" {
			b.WriteString(" — ")
		}
	}
	if text != "" {
		b.WriteString(text)
	}
	b.WriteString("\n")
	rows := ""
	for _, c := range configs {
		for _, k := range conf.Describe(c) {
			def := k.Default
			if k.Key == "data_dir" {
				def = "" // depends on the environment; its text says it
			}
			if def != "" {
				def = "`" + def + "`"
			}
			rows += fmt.Sprintf("| `%s` | %s | %s | %s |\n", k.Key, k.Type, cell(def), cell(k.Doc))
		}
	}
	if rows != "" {
		b.WriteString("\n| key | type | default | |\n|---|---|---|---|\n" + rows)
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

package file

import (
	"fmt"

	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the metrics of one sink.
type meters struct {
	bytes     *metrics.Counter // rows that are durable, in bytes
	syncs     *metrics.Counter
	cut       *metrics.Counter // bytes of uncommitted turns that were taken back
	rotations *metrics.Counter
	removed   *metrics.Counter // closed files given up for keep_files
}

func newMeters(env spec.Env) meters {
	counter := func(name string) *metrics.Counter {
		return env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_file_%s_total{sink=%q}", name, env.Name))
	}
	return meters{
		bytes:     counter("bytes"),
		syncs:     counter("syncs"),
		cut:       counter("cut_bytes"),
		rotations: counter("rotations"),
		removed:   counter("removed"),
	}
}

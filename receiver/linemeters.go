package receiver

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// notLogged is the key of the count of what sparse.Log has left out.
const notLogged = "not_logged"

// lineMeters are the metrics of a receiver of lines.
type lineMeters struct {
	tooLong *metrics.Counter // lines left out for their length
	refused *metrics.Counter // connections, one too many
	open    *metrics.Gauge   // connections, or running programs
	begun   *metrics.Counter // connections, or starts of the program
}

func newLineMeters(env Env) *lineMeters {
	name := func(metric string) string { return fmt.Sprintf("edged_receiver_%s{receiver=%q}", metric, env.Name) }
	return &lineMeters{
		tooLong: env.Metrics.GetOrCreateCounter(name("lines_too_long_total")),
		refused: env.Metrics.GetOrCreateCounter(name("connections_refused_total")),
		open:    env.Metrics.GetOrCreateGauge(name("open"), nil),
		begun:   env.Metrics.GetOrCreateCounter(name("connects_total")),
	}
}

package exec

import (
	"fmt"

	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the metrics of one sink.
type meters struct {
	starts  *metrics.Counter
	answers [len(words)]*metrics.Counter
}

func newMeters(env spec.Env) *meters {
	m := &meters{starts: env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_exec_starts_total{sink=%q}", env.Name))}
	for v := taken; v <= later; v++ {
		m.answers[v] = env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_exec_answers_total{sink=%q,answer=%q}", env.Name, words[v]))
	}
	return m
}

func (m *meters) answer(v verdict) { m.answers[v].Inc() }

package post

import (
	"fmt"
	"runtime/debug"

	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the metrics of one sink.
type meters struct {
	set   *metrics.Set
	kind  string
	name  string
	bytes *metrics.Counter
}

func newMeters(kind string, env spec.Env) *meters {
	return &meters{
		set: env.Metrics, kind: kind, name: env.Name,
		bytes: env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_%s_bytes_total{sink=%q}", kind, env.Name)),
	}
}

// request counts an attempt by the class of its answer; a code of 0 is none.
func (m *meters) request(code, bytes int) {
	class := "none"
	if code > 0 {
		class = fmt.Sprintf("%dxx", code/100)
	}
	m.set.GetOrCreateCounter(fmt.Sprintf("edged_sink_%s_requests_total{sink=%q,code=%q}", m.kind, m.name, class)).Inc()
	m.bytes.Add(bytes)
}

// userAgent is edged with the version that the go command wrote into the binary, if it knew one.
func userAgent() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return "edged/" + info.Main.Version
	}
	return "edged"
}

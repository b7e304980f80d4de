package broker

import (
	"context"
	"log/slog"
	"testing"

	"edged"
	"edged/broker/remote"
	"edged/sinks/encode"
	"edged/sinks/mqtt"
	"edged/sinks/sinktest"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// The mqtt sink keeps the contract of sinks with this broker, whose receiver commits like a quick disk.
func TestTheSinkPublishesToTheEmbeddedBroker(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		r := commits(t)
		s := start(t, setup{attach: map[string]edged.Handler{"results/#": r}})
		c := mqtt.Default(&remote.Access{Broker: mqtt.Embedded})
		env := spec.Env{
			Name: "hub", Embedded: true, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(),
			Dial: func(context.Context, spec.Remote) (spec.Publisher, error) { return s.NewInner(), nil },
		}
		return sinktest.Harness{
			Guarantee: sinktest.AtLeastOnce,
			New:       func() edged.Sink { return c.New(env) },
			Encode:    encode.AppendNDJSON,
			Arrived: func() (out []sinktest.Arrival) {
				r.mu.Lock()
				defer r.mu.Unlock()
				for _, m := range r.stored {
					out = append(out, sinktest.Arrival{Body: append([]byte(string(m.Payload)), '\n')})
				}
				return out
			},
		}
	})
}

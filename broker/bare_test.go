package broker

import (
	"io"
	"log/slog"

	"github.com/VictoriaMetrics/metrics"
	mqtt "github.com/mochi-mqtt/server/v2"
	"pgregory.net/rapid"
)

// bare makes the retained part of a broker that never runs.
func bare(t *rapid.T, d *disk) (*mqtt.Server, *retained) {
	b, err := New(Default(), Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: metrics.NewSet(), Retained: d})
	if err != nil {
		t.Fatal(err)
	}
	return b.srv, &b.retained
}

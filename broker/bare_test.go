package broker

import (
	"io"
	"log/slog"

	"github.com/VictoriaMetrics/metrics"
	"pgregory.net/rapid"
)

// bare makes the retained part of a broker that never runs.
func bare(t *rapid.T, d *disk) *retained {
	b, err := New(Default(), Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: metrics.NewSet(), Retained: d})
	if err != nil {
		t.Fatal(err)
	}
	return &b.retained
}

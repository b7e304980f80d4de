package remote

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"edged"
	"edged/receiver/receivertest"

	"github.com/VictoriaMetrics/metrics"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		m := newMosquitto(t)
		r := NewReceiver(m.config(), []string{"site/#"}, &memory{}, slog.New(slog.NewTextHandler(io.Discard, nil)), metrics.NewSet())
		return r, func() {
			if len(payloads) == 0 {
				return
			}
			for end := time.Now().Add(patient); !r.(*Receiver).Link().Connected && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			m.publish("site/1", false, payloads...)
		}
	})
}

package receiver

import (
	"log/slog"
	"net"
	"testing"

	"edged"
	"edged/receiver/receivertest"

	"github.com/VictoriaMetrics/metrics"
)

func TestConformanceOfFile(t *testing.T) {
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		path := logFile(t)
		return newTail(path, &shelf{}, nil), func() {
			for _, p := range payloads {
				write(t, path, p[:3])
				write(t, path, p[3:]+"\n")
			}
		}
	})
}

func TestConformanceOfHTTP(t *testing.T) {
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		c := DefaultHTTP()
		c.Listen, c.Topics = "127.0.0.1:0", []string{"site/#"}
		i := c.New(Env{Name: "r", Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet()}).(*ingest)
		bound := make(chan net.Addr, 1)
		i.bound = func(a net.Addr) { bound <- a }
		return i, func() {
			l := &listening{url: "http://" + (<-bound).String(), client: http1()}
			defer l.client.CloseIdleConnections()
			body := ""
			for _, p := range payloads {
				body += p + "\n"
			}
			if len(payloads) > 0 {
				l.post("/ingest/site/1", "application/x-ndjson", body)
			}
		}
	})
}

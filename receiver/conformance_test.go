package receiver_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"edged"
	"edged/receiver"
	"edged/receiver/receivertest"
)

func TestConformanceOfReplay(t *testing.T) {
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		path := filepath.Join(t.TempDir(), "raw.ndjson")
		text := ""
		for _, p := range payloads {
			text += `{"topic":"site/1","payload":` + p + "}\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return (&receiver.Replay{Path: path}).New(receiver.Env{Log: slog.New(slog.DiscardHandler)}), func() {}
	})
}

func TestConformanceOfTheEmbeddedBroker(t *testing.T) {
	receivertest.Run(t, func(t *testing.T, payloads []string) (edged.Receiver, func()) {
		var to edged.Handler
		ctx, detach := context.WithCancel(context.Background())
		m := &receiver.MQTT{Topics: []string{"site/#"}}
		r := m.New(receiver.Env{Attach: func(_ []string, h edged.Handler) func() { to = h; return detach }})
		return r, func() {
			for _, p := range payloads {
				if to.Take(ctx, &edged.Message{Topic: "site/1", Payload: []byte(p), QoS: 1}, nil, 0) != nil {
					return
				}
			}
		}
	})
}

package broker

import (
	"log/slog"
	"testing"

	"edged/broker/seldom"
	"edged/test/rawmqtt"
)

// blocked is a log that cannot be written until hold is closed.
type blocked struct{ hold chan struct{} }

func (b blocked) Write(p []byte) (int, error) { <-b.hold; return len(p), nil }

func TestALogThatBlocksStopsNobody(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxSubscriptions = 1 }})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "c", V5: true})
	hold := make(chan struct{})
	defer close(hold)
	s.Broker.seldom = seldom.New(slog.New(slog.NewTextHandler(blocked{hold}, nil)))
	w.Subscribe(1, "a", 0)
	w.Send(rawmqtt.Subscribe(w.V5, 2, "b", 0)) // one too many, which is said
	if f := w.Read(); f.Kind != 0x90 {
		t.Fatal(f)
	}
	connect(t, s, rawmqtt.Connect{ID: "another"})
}

package receiver

import (
	"context"
	"errors"
	"slices"
	"testing"

	"edged"
)

// taker is a generator that writes down what it took.
type taker struct{ topics chan string }

func (k taker) Take(_ context.Context, m *edged.Message, _ edged.Acker, _ uint64) error {
	k.topics <- m.Topic
	return nil
}

// A broker that serves before the receiver runs must neither pass it by nor lose what it was offered.
func TestTheEmbeddedBrokerFindsTheReceiverBeforeItRuns(t *testing.T) {
	var attached edged.Handler
	detached := make(chan struct{})
	m := &MQTT{Topics: []string{"site/#"}}
	r := m.New(Env{Attach: func(filters []string, h edged.Handler) func() {
		if !slices.Equal(filters, m.Topics) {
			t.Errorf("attached to %v", filters)
		}
		attached = h
		return func() { close(detached) }
	}})
	if attached == nil {
		t.Fatal("it is not attached when it is made")
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := attached.Take(impatient, &edged.Message{Topic: "site/1"}, nil, 0); !errors.Is(err, edged.ErrFull) {
		t.Errorf("a publisher that cannot wait is told %v", err)
	}
	took := make(chan error, 1)
	go func() { took <- attached.Take(t.Context(), &edged.Message{Topic: "site/2"}, nil, 0) }()
	k := taker{make(chan string, 1)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, k) }()
	if err := <-took; err != nil || <-k.topics != "site/2" {
		t.Errorf("what came early: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-detached
}

package remote

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"edged"
	"edged/broker/seldom"

	"github.com/VictoriaMetrics/metrics"
	"github.com/cenkalti/backoff/v5"
)

// stable is how long a connection must have lasted for the next wait to be short again, so that a broker that accepts and
// drops is not besieged.
const stable = time.Minute

// link keeps one connection after another to a broker.
type link struct {
	cfg      *Config
	what     string // for logs: "receiver field"
	log      *slog.Logger
	seldom   *seldom.Log
	connects *metrics.Counter
	down     bool // an outage was announced

	mu    sync.Mutex
	state LinkStatus
}

// LinkStatus is how the connection to an external broker is.
type LinkStatus struct {
	Broker    string    `json:"broker"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`  // of the last change; zero before the first connection or failure
	Error     string    `json:"error,omitempty"` // why it is not connected
	// Dropped is what the broker says that it has dropped since it was started, for all its clients: their queues were full.
	Dropped uint64 `json:"broker_dropped,omitempty"`
}

// Link returns the present state.
func (k *link) Link() LinkStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.state
	s.Broker = k.cfg.Broker
	return s
}

func (k *link) is(connected bool, why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state.Connected != connected || k.state.Since.IsZero() {
		k.state.Connected, k.state.Since = connected, time.Now()
	}
	k.state.Error = ""
	if why != nil {
		k.state.Error = why.Error()
	}
}

// run calls serve with the context, again and again: it makes a connection, calls up when it serves, and returns why it
// ended. run returns a permanent error, or nil when ctx ends.
func (k *link) run(ctx context.Context, serve func(ctx context.Context, up func()) error) error {
	wait := backoff.NewExponentialBackOff()
	// At most 18 s, so that with the time that an attempt may take a broker that is there again is met within 30 s.
	wait.InitialInterval, wait.MaxInterval, wait.Multiplier, wait.RandomizationFactor = time.Second, 12*time.Second, 2, 0.5
	wait.Reset()
	for {
		var began time.Time
		err := serve(ctx, func() { began = time.Now(); k.up() })
		if ctx.Err() != nil {
			return nil
		}
		k.is(false, err)
		if edged.ClassOf(err) == edged.Permanent {
			return err
		}
		if !began.IsZero() && time.Since(began) >= stable {
			wait.Reset()
		}
		k.lost(err)
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

func (k *link) up() {
	k.is(true, nil)
	k.connects.Inc()
	if k.down || k.connects.Get() == 1 {
		k.log.Info(k.what+": connected", "broker", k.cfg.Broker, "client_id", k.cfg.ClientID)
	}
	k.down = false
}

func (k *link) lost(err error) {
	if !k.down {
		k.down = true
		k.seldom.Warn("lost", k.what+": no connection to the broker; it is tried again until there is one, the rest goes on",
			"broker", k.cfg.Broker, "error", err)
		return
	}
	k.log.Debug(k.what+": still no connection to the broker", "broker", k.cfg.Broker, "error", err)
}

// Package supervise keeps a long-lived part running: Spark's ReceiverSupervisor without the receiver.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"edged"

	"github.com/cenkalti/backoff/v5"
)

// Stable is how long a part must have run for its next restart to begin again at the shortest wait.
const Stable = time.Minute

// Part is one supervised part. Its zero value is ready; Name is set before Run.
type Part struct {
	Name string // for logs and status: "receiver field"

	mu       sync.Mutex
	restarts int
	lastErr  string
	since    time.Time
	state    string
}

// State is what status shows of a part.
type State struct {
	Name     string    `json:"name"`
	State    string    `json:"state"` // running, waiting, stopped, ended
	Restarts int       `json:"restarts"`
	LastErr  string    `json:"last_error,omitempty"`
	Since    time.Time `json:"since"`
}

// State returns a copy of the part's state.
func (p *Part) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return State{p.Name, p.state, p.restarts, p.lastErr, p.since}
}

// Run calls f until ctx ends, f returns nil, or f's error is permanent. Any other error is logged, and f is called again
// after a wait from 2 s to 1 min with jitter (Spark: receiverRestartDelay 2000 ms). A panic counts as a retryable error:
// it ends the part, not the gateway. A permanent error is logged too, and shown by State. Run returns what f returned when
// it was told to stop, if that was an error: nobody else has said it.
func (p *Part) Run(ctx context.Context, log *slog.Logger, f func(context.Context) error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 2*time.Second, time.Minute
	wait.Reset()
	for {
		p.set("running", nil)
		began := time.Now()
		err := call(ctx, f)
		if ctx.Err() != nil || err == nil {
			p.set("ended", err)
			return err
		}
		if edged.ClassOf(err) == edged.Permanent {
			p.set("stopped", err)
			log.Error("stopped for good: it cannot work as configured; correct it, then: edged reload", "part", p.Name, "error", err)
			return nil
		}
		if time.Since(began) >= Stable {
			wait.Reset()
		}
		d := wait.NextBackOff()
		p.set("waiting", err)
		log.Warn("failed, will be tried again", "part", p.Name, "error", err, "in", d.Round(100*time.Millisecond))
		select {
		case <-ctx.Done():
			p.set("ended", nil)
			return nil
		case <-time.After(d):
		}
	}
}

func (p *Part) set(state string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.lastErr = err.Error()
	}
	if state == "running" && p.state == "waiting" {
		p.restarts++
	}
	p.state, p.since = state, time.Now()
}

// Panicked is a panic that was caught, with where it happened.
type Panicked struct {
	Value any
	Stack []byte
}

func (e *Panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

func call(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panicked{v, debug.Stack()}
		}
	}()
	if err = f(ctx); err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// Package gpio is the room in which pins are read: from the kernel, or from a simulator behind the same seam. It
// publishes their readings as JSON.
//
//	pin ── line (chardev, sim) ──► watch: debounce, edge filter ─┐
//	                          └──► sample: at an interval ───────┴─► outbox ──► Publish
//
// Readings are best effort. A pin's loop never waits for the broker: readings wait in the pin's outbox, at most 1,000 of
// them and none for longer than a minute. What does not get through is counted, and seen by whoever reads the topic as a
// gap in seq.
package gpio

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"edged/gpio/chardev"

	"github.com/VictoriaMetrics/metrics"
)

// drain is how long readings that wait for the broker may still leave after the pins have stopped.
const drain = time.Second

// Publish hands one reading to the broker. The payload is the caller's again on return. It blocks under back-pressure,
// until ctx ends; an error means that the reading was not taken.
type Publish func(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error

// Room reads all pins of a configuration.
type Room struct {
	log  *slog.Logger
	open opener
	pins []*pin
}

// New makes the room of a configuration that Load found no mistake in. With driver = "periph" it looks for the computer's
// GPIO chips; call it before the process is busy (chardev.New says why). A chip that is missing is no error here: Run
// reports it and looks again.
func New(cfg *Config, publish Publish, log *slog.Logger, set *metrics.Set) *Room {
	open := openSim
	if cfg.Driver == "periph" {
		open = openWith(chardev.New(log))
	}
	return newRoom(cfg, open, publish, log, set)
}

// Again makes the room of another configuration with the same driver, which keeps the chips that it has found. The first must have stopped
// before the second runs.
func (r *Room) Again(cfg *Config, publish Publish, log *slog.Logger, set *metrics.Set) *Room {
	return newRoom(cfg, r.open, publish, log, set)
}

func newRoom(cfg *Config, open opener, publish Publish, log *slog.Logger, set *metrics.Set) *Room {
	r := &Room{log: log, open: open}
	said := &said{}
	for _, pc := range cfg.Pins {
		r.pins = append(r.pins, newPin(cfg, pc, open, publish, log, said, set))
	}
	return r
}

// Run reads the pins until ctx ends, each in goroutines of its own: a pin that fails is tried again after a wait (package
// supervise) and holds up nobody. When ctx ends the pins stop, and what waits in their outboxes has a second to leave; the
// rest is counted as dropped. Run returns nil when all pins have ended; why one cannot work was logged and is in Status.
func (r *Room) Run(ctx context.Context) error {
	publishing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var readers, senders sync.WaitGroup
	for _, p := range r.pins {
		senders.Go(func() { p.out.run(publishing) })
		readers.Go(func() {
			defer p.out.close()
			_ = p.part.Run(ctx, p.partLog, p.run) // logged by Run, and kept in part for Status
		})
	}
	readers.Wait()
	patience := time.AfterFunc(drain, giveUp)
	defer patience.Stop()
	senders.Wait()
	return nil
}

// Status tells how each pin is, in the order of the configuration.
func (r *Room) Status() []PinStatus {
	out := make([]PinStatus, len(r.pins))
	for i, p := range r.pins {
		out[i] = p.status()
	}
	return out
}

package daemon

import (
	"context"
	"errors"
	"strings"
	"time"

	"edged/internal/headroom"
)

// How long a stop may take. After the store has failed nothing can be saved any more, and the next start serves.
const (
	stopWithin      = 5 * time.Second
	stopFailedStore = time.Second
)

var errStartedTwice = errors.New("the gateway was started already")

// Run runs the gateway until ctx ends or the store fails. ready is called once everything listens and runs.
func (d *Daemon) Run(ctx context.Context, ready func()) error {
	if !d.state.CompareAndSwap(initialized, started) {
		return errStartedTwice
	}
	storeG, storeCtx := newGroup("the store")
	failed := make(chan error, 1)
	storeG.run(func() error {
		err := d.store.Run(storeCtx)
		if err != nil {
			failed <- err
		}
		return err
	})
	httpG, httpCtx := newGroup("the HTTP listener")
	if d.http != nil {
		httpG.run(func() error { return d.serveHTTP(httpCtx) })
	}
	p := d.now()
	for _, w := range p.writers {
		d.startSink(w)
	}
	d.sinks.start("the gate", d.gate.Run)
	for _, s := range p.streams {
		d.startStream(s)
	}
	for _, in := range p.inputs {
		d.startReceiver(in)
	}
	brokerG, brokerCtx := newGroup("the broker")
	if d.broker != nil {
		brokerG.run(func() error { return d.broker.Run(brokerCtx) })
	}
	d.startPins(p)
	reloadG, reloadCtx := newGroup("housekeeping")
	reloadG.run(func() error { return d.files.Run(reloadCtx) })
	reloadG.run(func() error { return d.serveReloads(reloadCtx) })
	reloadG.run(func() error { return trim(reloadCtx, trimEvery) })
	reloadG.run(func() error { return headroom.Keep(reloadCtx, d.heap) })
	ready()

	var cause, halfway error
	within := stopWithin
	select {
	case <-ctx.Done():
		d.log.Info("stopping: nothing more is taken in, what was taken is stored and delivered as far as time allows")
	case cause = <-failed:
		within = stopFailedStore
		d.log.Error("the store has failed; edged ends, so that the next start reads what is on disk", "error", cause)
	case halfway = <-d.halfway:
		d.log.Error("the changed configuration could not be taken into use; edged ends, so that the next start does it", "error", halfway)
	}
	began := time.Now()
	d.state.Store(stopping)
	d.store.Hasten()
	end, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := errors.Join(cause, halfway)
	for _, phase := range []func() error{
		func() error { return reloadG.stop(end) },
		func() error { return d.pins.end(end) },
		func() error { return d.drainBroker(end) },
		func() error { return d.receivers.end(end) },
		func() error { return brokerG.stop(end) },
		func() error { return d.outlets.end(end) },
		func() error { return d.streams.end(end) },
		func() error { return d.sinks.end(end) },
		func() error { return httpG.stop(end) },
		func() error { return storeG.stop(end) },
	} {
		if perr := phase(); perr != nil && cause == nil {
			err = errors.Join(err, perr)
		}
	}
	d.state.Store(stopped)
	left := d.undelivered()
	if end.Err() == nil && cause == nil {
		err = errors.Join(err, d.store.Close())
	}
	d.log.Info("stopped; what was acknowledged is on disk, and so is what is not delivered yet", "after", time.Since(began).Round(time.Millisecond), "undelivered", left)
	return err
}

func (d *Daemon) startSink(w *writer) {
	d.sinks.start("sink "+w.Name(), func(ctx context.Context) error { return w.part.Run(ctx, d.log, w.Writer.Run) })
}

func (d *Daemon) startStream(s *stream) {
	d.streams.start("stream "+s.Name(), func(ctx context.Context) error { return s.part.Run(ctx, d.log, s.Stream.Run) })
}

func (d *Daemon) startReceiver(in *input) {
	d.receivers.start("receiver "+in.name, func(ctx context.Context) error {
		watching := make(chan struct{})
		go func() {
			defer close(watching)
			if !in.files.Empty() {
				_ = in.files.Run(ctx) // it has no error
			}
		}()
		defer func() { <-watching }()
		return in.Run(ctx)
	})
}

// startPins starts the pins, and what takes their readings away before them.
func (d *Daemon) startPins(p *parts) {
	if o := p.publisher; o != nil {
		d.outlets.start("gpio publisher", func(ctx context.Context) error { return o.part.Run(ctx, d.log, o.Publisher.Run) })
	}
	if p.gpio != nil {
		d.pins.start("gpio", p.gpio.Run)
	}
}

// undelivered is what the sinks have not taken, for the last line of the log.
func (d *Daemon) undelivered() string {
	s := Status{}
	now := d.now()
	for _, st := range now.streams {
		s.Streams = append(s.Streams, StreamStatus{st.part.State(), st.Status()})
	}
	p := speaker{Status: &s}
	var left []string
	for _, w := range now.writers {
		deliveries, health := w.Status()
		if held := p.held(SinkStatus{Name: w.Name(), Health: health, Deliveries: deliveries}); held != "" {
			left = append(left, w.Name()+": "+held)
		}
	}
	if len(left) == 0 {
		return "nothing"
	}
	return strings.Join(left, "; ")
}

// drainBroker lets every message that was taken be acknowledged.
func (d *Daemon) drainBroker(ctx context.Context) error {
	if d.broker == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	if err := d.broker.Drain(ctx); err != nil {
		d.log.Warn("some messages were taken and not acknowledged before the stop; their publishers send them again", "error", err)
	}
	return nil
}

const drainWithin = 1500 * time.Millisecond

package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// stopWithin is how long a stop may take.
const stopWithin = 5 * time.Second

// group is a set of parts that run and stop together.
type group struct {
	name   string
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	err    error
}

func newGroup(name string) (*group, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	return &group{name: name, cancel: cancel}, ctx
}

func (g *group) run(f func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := f(); err != nil {
			g.mu.Lock()
			g.err = errors.Join(g.err, err)
			g.mu.Unlock()
		}
	}()
}

// stop cancels the group and waits for it, no longer than until ctx ends.
func (g *group) stop(ctx context.Context) error {
	g.cancel()
	return g.wait(ctx)
}

func (g *group) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { g.wg.Wait(); close(done) }()
	select {
	case <-done:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.err
	case <-ctx.Done():
		return fmt.Errorf("%s did not stop in time", g.name)
	}
}

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
	reloadG, reloadCtx := newGroup("housekeeping")
	reloadG.run(func() error { return d.reload.Run(reloadCtx) })
	reloadG.run(func() error { return trim(reloadCtx, trimEvery) })
	sinksG, sinksCtx := newGroup("the sinks")
	for _, w := range d.writers {
		sinksG.run(func() error { return w.part.Run(sinksCtx, d.log, w.Writer.Run) })
	}
	sinksG.run(func() error { return d.gate.Run(sinksCtx) })
	streamsG, streamsCtx := newGroup("the streams")
	for _, s := range d.streams {
		streamsG.run(func() error { return s.part.Run(streamsCtx, d.log, s.Stream.Run) })
	}
	receiversG, receiversCtx := newGroup("the receivers")
	for _, in := range d.inputs {
		receiversG.run(func() error { return in.Run(receiversCtx) })
	}
	brokerG, brokerCtx := newGroup("the broker")
	if d.broker != nil {
		brokerG.run(func() error { return d.broker.Run(brokerCtx) })
	}
	if p := d.publisher; p != nil {
		brokerG.run(func() error { return p.part.Run(brokerCtx, d.log, p.Publisher.Run) })
	}
	gpioG, gpioCtx := newGroup("gpio")
	if d.gpio != nil {
		gpioG.run(func() error { return d.gpio.Run(gpioCtx) })
	}
	ready()

	var cause error
	select {
	case <-ctx.Done():
		d.log.Info("stopping: nothing more is taken in, what was taken is stored and delivered as far as time allows")
	case cause = <-failed:
		d.log.Error("the store has failed; edged ends, so that the next start reads what is on disk", "error", cause)
	}
	began := time.Now()
	d.state.Store(stopping)
	d.store.Hasten()
	end, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := cause
	for _, phase := range []func() error{
		func() error { return reloadG.stop(end) },
		func() error { return gpioG.stop(end) },
		func() error { return d.drainBroker(end) },
		func() error { return receiversG.stop(end) },
		func() error { return brokerG.stop(end) },
		func() error { return streamsG.stop(end) },
		func() error { return sinksG.stop(end) },
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

// undelivered is what the sinks have not taken, for the last line of the log.
func (d *Daemon) undelivered() string {
	s := Status{}
	for _, st := range d.streams {
		s.Streams = append(s.Streams, StreamStatus{st.part.State(), st.Status()})
	}
	p := speaker{Status: &s}
	var left []string
	for _, w := range d.writers {
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

package broker

import (
	"context"
	"errors"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/errgroup"
)

const (
	// lastDeliveries is how long subscribers are still given what became durable, when the broker ends.
	lastDeliveries = time.Second
	// lastWords is how long connections may take to end.
	lastWords = 3 * time.Second
)

// Run serves clients until ctx ends, and then ends every connection within a few seconds. To stop without making clients
// repeat what was taken in, call Drain before ctx ends.
func (b *Broker) Run(ctx context.Context) error {
	if len(b.listeners) == 0 {
		return errors.New("broker: Run without Listen")
	}
	if b.running.Swap(true) {
		return errors.New("broker: Run was called before")
	}
	if err := b.srv.Serve(); err != nil { // begins the library's housekeeping; connections come from accept
		return err
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, failed := errgroup.WithContext(inner)
	for _, l := range b.listeners {
		g.Go(func() error { return b.accept(inner, l) })
	}
	g.Go(func() error { return b.fanout.run(inner) })
	g.Go(func() error { return b.housekeep(inner) })
	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	b.shutDown()
	cancel()
	return g.Wait()
}

// Drain stops the intake: no new connections, and nothing more is taken from the ones that are there, while everything
// that was taken is still acknowledged as its commit comes. It returns when no acknowledgement is outstanding, or with
// ctx's error. Run's context should be cancelled after it.
func (b *Broker) Drain(ctx context.Context) error {
	b.closeListeners()
	return b.in.Drain(ctx)
}

// housekeep ends old sessions.
func (b *Broker) housekeep(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			b.sessions.sweep(now)
		case <-ctx.Done():
			return nil
		}
	}
}

func (b *Broker) shutDown() {
	b.closeListeners()
	b.in.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), lastDeliveries)
	defer cancel()
	b.fanout.drain(ctx)
	left := b.conns.close(func(c *conn) { c.goodbye(packets.ErrServerShuttingDown, nil) }, lastWords)
	if left > 0 {
		b.log.Warn("broker: connections did not end in time and are given up", "connections", left)
	}
	b.wills.stop()
	b.closeLibrary()
}

// closeLibrary ends the library's own goroutines. It is not waited for for ever: a lock that it takes twice can hang it.
func (b *Broker) closeLibrary() {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.srv.Close() // always nil
	}()
	select {
	case <-ended:
	case <-time.After(lastWords):
		b.log.Warn("broker: the MQTT library did not end in time and is given up")
	}
}

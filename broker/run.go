package broker

import (
	"context"
	"errors"
	"time"

	"edged/broker/wire"

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
	b.warnOfExpiry(time.Now())
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, failed := errgroup.WithContext(inner)
	for _, l := range b.listeners {
		g.Go(func() error { return b.accept(inner, l) })
	}
	g.Go(func() error { return b.fanout.run(inner) })
	g.Go(func() error { return b.housekeep(inner) })
	g.Go(func() error { return b.sys.run(inner) })
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

// housekeep ends what is over: sessions, and retained messages.
func (b *Broker) housekeep(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	day := time.Now()
	for {
		select {
		case now := <-t.C:
			b.seconds.Add(1)
			if now.YearDay() != day.YearDay() {
				day = now
				b.warnOfExpiry(now)
			}
			b.sessions.sweep(now)
			b.retained.sweep()
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
	left := b.conns.close(func(c *conn) { c.goodbye(wire.ShuttingDown, nil) }, lastWords)
	if left > 0 {
		b.log.Warn("broker: connections did not end in time and are given up", "connections", left)
	}
	b.wills.stop()
	b.keeping.save(ctx)
}

// expiresSoon is how long before the certificate's end it is said every day.
const expiresSoon = 14 * 24 * time.Hour

func (b *Broker) warnOfExpiry(now time.Time) {
	if b.tls == nil {
		return
	}
	if end := b.tls.Expires(); end.Sub(now) < expiresSoon {
		b.log.Warn("broker: the certificate of the TLS listeners expires soon, or has; clients will refuse it. Replace the files of tls: they are read again by themselves",
			"until", end.UTC().Format(time.DateTime))
	}
}

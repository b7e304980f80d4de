package broker

import (
	"context"
	"sync"
	"testing"

	"edged/broker/record"
	"edged/test/await"
)

// kept starts a broker whose sessions are in a book, and whose messages are in its log. The book commits whatever comes if auto.
func kept(t testing.TB, b *book, auto bool, cfg func(*Config)) *server {
	t.Helper()
	s := start(t, setup{cfg: cfg, store: b, before: func(x *Broker) {
		own := b.carrier()
		x.AttachOwn(own.name, own)
		b.riders = append(b.riders, x)
	}})
	if !auto {
		stop := s.stop
		s.stop = sync.OnceValue(func() error { b.crash(); return stop() })
		return s
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { b.run(ctx) })
	stop := s.stop
	s.stop = sync.OnceValue(func() error { // it stops before its store, as in a gateway
		defer wg.Wait()
		defer cancel()
		return stop()
	})
	return s
}

// crashed ends a broker and its store without a word, and starts them again with what was durable.
func crashed(t testing.TB, s *server, b *book, auto bool, cfg func(*Config)) (*server, *book) {
	t.Helper()
	after := b.crash()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	return kept(t, after, auto, cfg), after
}

// size is the number of values in a space.
func (b *book) size(space string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.page.values[space])
}

// still waits until nothing is under way any more.
func (s *server) still(t testing.TB, b *book) {
	t.Helper()
	await.Soon(t, "nothing is under way", func() bool { return !b.waits() && b.under() == nil && s.low.mark() == b.End() && s.in.Pending() == 0 })
}

var sessionSpaces = []string{record.Sessions, record.Subscriptions, record.Inflight, record.Queues, "received"}

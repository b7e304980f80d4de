package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"edged/test/await"

	"edged"

	"github.com/VictoriaMetrics/metrics"
)

type publishing struct {
	*Publisher
	*running
}

func publisher(t testing.TB, c *Config) *publishing {
	t.Helper()
	c.ClientID = "publisher"
	r := &running{log: &await.Log{}, set: metrics.NewSet(), end: make(chan error, 1)}
	p := NewPublisher(c, slog.New(slog.NewTextHandler(r.log, nil)), r.set)
	r.start(t, p.Run)
	return &publishing{p, r}
}

func TestPublishedMessagesArriveInOrder(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	run(t, m.config(), []string{"site/#"}, &memory{}, h).connected(t, 1)
	p := publisher(t, m.config())
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint(i))
		payload := []byte(want[i])
		if err := p.Publish(t.Context(), "site/1", payload, 1, false); err != nil {
			t.Fatal(err)
		}
		copy(payload, "XX") // it is the caller's again
	}
	for len(h.payloads()) < 100 {
		h.commit(nil)
	}
	h.has(t, want...)
	await.Soon(t, "all are acknowledged", func() bool { return p.metric("edged_publisher_published_total") == 100 })
}

func TestTheNewestWaitForABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	p := publisher(t, m.config())
	p.connected(t, 1)
	m.stop()
	await.Soon(t, "the loss is noticed", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return !p.online })
	for i := range maxBuffered + 10 {
		if err := p.Publish(t.Context(), "site/1", []byte(fmt.Sprint(i)), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.metric("edged_publisher_dropped_total"); n != 10 {
		t.Fatalf("%d dropped", n)
	}
	await.Soon(t, "it is said", func() bool { return p.log.Count("oldest messages are dropped") > 0 })
	if n := p.log.Count("oldest messages are dropped"); n != 1 {
		t.Fatalf("said %d times", n)
	}
	m.start()
	await.Soon(t, "the rest arrives", func() bool { h.commit(nil); return len(h.payloads()) == maxBuffered })
	if got := h.payloads(); got[0] != "10" || got[maxBuffered-1] != fmt.Sprint(maxBuffered+9) {
		t.Fatalf("%s … %s", got[0], got[maxBuffered-1])
	}
}

// A token of paho's can say that a message was published when it was not, after a reconnection. So what is not acknowledged
// when the connection ends is sent again.
func TestWhatIsNotAcknowledgedIsSentAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serve(func(s *session) {
		s.accept(0, false)
		s.publish() // read, and never acknowledged
	}, func(s *session) {
		s.accept(0, false)
		for _, want := range []string{"a", "b"} {
			got := s.publish()
			if string(got.Payload) != want {
				f.t.Errorf("got %q, want %q", got.Payload, want)
			}
			s.ack(got)
		}
		s.untilClosed()
	})
	p := publisher(t, f.config())
	for _, x := range []string{"a", "b"} {
		if err := p.Publish(t.Context(), "t", []byte(x), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "both are published", func() bool { return p.metric("edged_publisher_published_total") == 2 })
}

func TestAFullBufferHoldsThePublisherBack(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	release := make(chan struct{})
	f.serve(func(s *session) {
		s.accept(0, false)
		<-release
		for range maxBuffered + 1 {
			s.ack(s.publish())
		}
		s.untilClosed()
	})
	p := publisher(t, f.config())
	p.connected(t, 1)
	for range maxBuffered {
		if err := p.Publish(t.Context(), "t", nil, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := p.Publish(ctx, "t", nil, 1, false); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	close(release)
	if err := p.Publish(t.Context(), "t", nil, 1, false); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "all are published", func() bool { return p.metric("edged_publisher_published_total") == maxBuffered+1 })
	if n := p.metric("edged_publisher_dropped_total"); n != 0 {
		t.Fatalf("%d dropped: what was not taken is the caller's to count", n)
	}
}

func TestStoppingSendsWhatWaits(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t)
	h := &handler{}
	run(t, m.config(), []string{"site/#"}, &memory{}, h).connected(t, 1)
	p := publisher(t, m.config())
	p.connected(t, 1)
	for range 50 {
		if err := p.Publish(t.Context(), "site/1", nil, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "all arrive", func() bool { h.commit(nil); return len(h.payloads()) == 50 })
	if err := p.Publish(t.Context(), "site/1", nil, 1, false); err != edged.ErrStopped {
		t.Fatal(err)
	}
}

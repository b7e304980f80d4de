package remote

import (
	"fmt"
	"testing"

	"edged/test/await"
)

// Mosquitto drops what exceeds a client's queue, and has acknowledged it; the gateway learns of it when it is back.
func TestWhatTheBrokerDropsIsSaid(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t, "max_queued_messages 10", "max_inflight_messages 1", "sys_interval 1")
	h := &handler{}
	r := run(t, m.config(), []string{"site/#"}, &memory{}, h)
	r.connected(t, 1)
	m.stopped(r)
	var all []string
	for i := range 50 {
		all = append(all, fmt.Sprint(i))
	}
	m.publish("site/1", false, all...)
	r = run(t, m.config(), []string{"site/#"}, &memory{}, h)
	await.Soon(t, "the drops are said", func() bool { return r.r.Link().Dropped >= 39 })
	await.Soon(t, "and logged", func() bool { return r.log.Count("dropped_since_its_start") == 1 })
	for _, p := range h.payloads() {
		if len(p) > 2 {
			t.Errorf("what the broker says of itself was taken for a message: %q", p)
		}
	}
}

// A broker that ends the connection when it is asked is asked once.
func TestABrokerThatWillNotBeAsked(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	login := func(s *session) { s.accept(0, true); s.subscribe(1) }
	quiet := make(chan struct{})
	f.serve(func(s *session) {
		login(s)
		if topics := s.subscribe(0x80); len(topics) != 1 || topics[0] != dropsTopic {
			f.t.Errorf("%q", topics)
		}
	}, func(s *session) { // the first has ended
		login(s)
		close(quiet)
		s.untilClosed()
	})
	r := run(t, f.config(), []string{"a"}, &memory{topics: map[string][]string{"gateway": {"a"}}}, &handler{})
	<-quiet
	r.connected(t, 2)
	if !r.r.shy.Load() {
		t.Error("it will be asked again")
	}
}

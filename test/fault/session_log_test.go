package fault

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// A session that is away does not hold the log: several times what the store can hold goes past it. What it is to get stays within max_queued_messages,
// what is beyond is counted, and the rest comes after a kill.
func TestSessionsDoNotHoldTheLog(t *testing.T) {
	t.Parallel()
	config := strings.Replace(sessionConfig, "max_queued_messages = 100000", "max_queued_messages = 500", 1)
	e := sessionGateway(t, load.With(config, "store", `max_bytes = "32MiB"`))
	s := newSubscriber(e, true, "away")
	s.begin(t, 1, "site/wanted", "free/wanted")
	s.leave()
	p, other := newPublisher(e, true, "publisher"), newPublisher(e, true, "other")
	passes := 0
	pass := func(bytes int) {
		t.Helper()
		passing(t, other, bytes)
		passes += bytes
	}
	const early, late = 20, 700
	p.must(t, messages("site/wanted", 1, early)...)
	p.must(t, messages("free/wanted", 1, early)...)
	pass(quickOrFull(48, 150) << 20)
	var more []rawmqtt.Publish
	for _, topic := range []string{"site/wanted", "free/wanted"} {
		more = append(more, messages(topic, 1, early+late)[early:]...)
	}
	p.must(t, more...)
	pass(quickOrFull(16, 100) << 20)
	if len(p.refused)+len(other.refused) > 0 {
		t.Errorf("%d messages were refused", len(p.refused)+len(other.refused))
	}
	status := e.Status()
	harness.Until(t, 20*time.Second, "nothing stops the intake", func() bool { status = e.Status(); return len(status.Blocked) == 0 })
	dropped := int64(status.Broker.NotDelivered)
	if c := e.Client(t, "away"); c.Queued+c.Unacked != 500 || int64(c.Dropped) != dropped {
		t.Errorf("for the session there wait %d messages, and %d were dropped; %d of all sessions", c.Queued+c.Unacked, c.Dropped, dropped)
	}
	e.Kill()
	p.leave()
	other.leave()
	e.Start()
	if s.back(t, true) {
		must(t, s.fetch(500))
	}
	s.proper(t)
	var distinct []string
	for _, payload := range s.payloads(1) {
		if !slices.Contains(distinct, payload) {
			distinct = append(distinct, payload)
		}
	}
	settled(t, e)
	verdict.Verdict{Fault: fmt.Sprintf("sessions: kill -9, %d MiB past a session that is away, store of 32 MiB", passes>>20), Acked: int64(len(p.acked)),
		Lost:     max(0, int64(len(p.acked))-int64(len(distinct))-dropped),
		Expected: fmt.Sprintf("%d came, %d dropped by max_queued_messages, as counted", len(distinct), dropped)}.Holds(t)
}

// passing publishes so many bytes that no session wants, but a receiver. The store cannot pack them.
func passing(t *testing.T, p *publisher, bytes int) {
	t.Helper()
	const payload = 16 << 10
	ms := make([]rawmqtt.Publish, bytes/payload)
	for i := range ms {
		ms[i] = rawmqtt.Publish{Topic: "site/other", QoS: 1, Payload: noise(uint64(i), payload)}
	}
	p.must(t, ms...)
}

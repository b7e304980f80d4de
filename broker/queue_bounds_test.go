package broker

import (
	"strings"
	"testing"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// fill publishes n messages of so many bytes with QoS 1, and waits until each was delivered, queued or dropped.
func (s *server) fill(t *testing.T, topic string, n, bytes int) {
	t.Helper()
	before := s.Broker.queueChanges()
	for range n {
		if err := s.Publish(t.Context(), topic, []byte(strings.Repeat("x", bytes)), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "they were dealt with", func() bool { return s.Broker.queueChanges() == before+n })
}

// queueChanges counts the messages that were dropped, and those that wait or were sent and are not acknowledged.
func (b *Broker) queueChanges() (n int) {
	b.sessions.each(func(s *session) {
		queued, unacked := s.out.count()
		n += queued + unacked
	})
	return n + int(b.met.queueFull.Get())
}

// leaves makes a client with a subscription that is away.
func (s *server) leaves(t *testing.T, id, filter string) {
	t.Helper()
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: id, Keep: true})
	w.Subscribe(1, filter, 1)
	w.Disconnect()
	await.Soon(t, "it is away", func() bool { return s.conn(id) == nil })
}

func (s *server) outbox(id string) *outbox { return &s.sessions.get(id).out }

func (o *outbox) holds() int { o.mu.Lock(); defer o.mu.Unlock(); return o.bytes }

func TestTheBytesOfAQueueAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedBytes = 8 << 10 }})
	s.leaves(t, "c", "a")
	s.fill(t, "a", 20, 1000)
	if n := s.queued("c"); n != 7 || s.outbox("c").holds() > 8<<10 || s.Status().NotDelivered != 13 {
		t.Errorf("%d messages of 1000 bytes wait, %d bytes, %d are counted", n, s.outbox("c").holds(), s.Status().NotDelivered)
	}
	s.leaves(t, "d", "b")
	s.fill(t, "b", 3, 50_000)
	if n := s.queued("d"); n != 1 {
		t.Errorf("%d messages larger than the queue wait, want one", n)
	}
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", Keep: true})
	for range 7 {
		w.Ack(0x40, w.Message().ID)
	}
	w.Quiet()
	w, _ = rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "d"}) // the session ends, and begins anew
	w.Quiet()
	if n, q := s.Broker.queued.Load(), s.queues.Load(); n != 0 || q != 0 {
		t.Errorf("%d bytes are still counted, in %d queues", n, q)
	}
}

// A greedy client that is away cannot shut others out: neither one that is away too, nor one that is there and has part unacknowledged.
func TestAGreedyQueueLeavesRoomForOthers(t *testing.T) {
	const total = 128 << 10
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedBytes, c.MaxQueuedTotal = 1<<20, total }})
	s.leaves(t, "greedy", "greedy")
	s.fill(t, "greedy", 300, 1000)
	had := s.queued("greedy")
	if n := s.Broker.queued.Load(); n > total || had < 50 {
		t.Errorf("it has %d messages, %d bytes", had, n)
	}
	s.leaves(t, "small", "small")
	s.fill(t, "small", 20, 1000)
	if n := s.queued("small"); n != 20 {
		t.Errorf("%d of 20 messages wait for the other", n)
	}
	s.fill(t, "greedy", 10, 1000)
	if n := s.queued("greedy"); n != had {
		t.Errorf("the greedy one got %d more", n-had)
	}
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "lively", V5: true})
	w.Subscribe(1, "lively", 1)
	s.fill(t, "lively", 1, 1000)
	w.Ack(0x40, w.Message().ID)
	w.Quiet()
	s.fill(t, "lively", 80, 1000) // more than its share: those who read have a part that the others cannot take
	if n := s.queued("lively"); n != 80 {
		t.Errorf("%d of 80 messages went to the one that is there", n)
	}
	s.leaves(t, "hungry", "hungry")
	s.fill(t, "hungry", 100, 1000) // a share is what there is for those away, divided by all that have something
	if n := s.queued("hungry"); n < 20 || n > 32 {
		t.Errorf("%d messages wait for another greedy one", n)
	}
}

// What was sent and is not acknowledged counts as if it waited: it is kept for a repeat.
func TestLettersInFlightCount(t *testing.T) {
	const size, most = 10_000, 64 << 10
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedBytes, c.MaxQueuedTotal = most, 300<<10 }})
	var ws []*rawmqtt.Client
	for _, id := range []string{"a", "b"} {
		w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: id, V5: true})
		w.Subscribe(1, id, 2)
		ws = append(ws, w)
		s.fill(t, id, 30, size)
		if n := s.outbox(id).holds(); n > most || n < most-2*size {
			t.Errorf("%s holds %d bytes", id, n)
		}
	}
	if n := s.Broker.queued.Load(); n != int64(s.outbox("a").holds()+s.outbox("b").holds()) {
		t.Errorf("%d bytes are counted in all", n)
	}
	for _, w := range ws {
		for range most / (size + letterSize) {
			w.Ack(0x40, w.Message().ID)
		}
		w.Quiet()
	}
	if n, q := s.Broker.queued.Load(), s.queues.Load(); n != 0 || q != 0 {
		t.Errorf("%d bytes are still counted, in %d queues", n, q)
	}
}

// The number of messages is bounded too, those in flight included.
func TestTheMessagesOfAQueueAreBounded(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxQueuedMessages, c.MaxInflight = 10, 4 }})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c"})
	w.Subscribe(1, "a", 1)
	s.fill(t, "a", 20, 1)
	if queued, unacked := s.outbox("c").count(); queued != 6 || unacked != 4 {
		t.Errorf("%d wait, %d are in flight", queued, unacked)
	}
}

package broker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// A subscriber that never reads stalls nobody: not its publishers, not other subscribers, not commits, and not itself when
// it is dropped.
func TestAStuckSubscriberStallsNobody(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	for i := range 3 {
		stuck, _ := connect(t, s, rawmqtt.Connect{ID: fmt.Sprint("stuck", i)})
		stuck.Subscribe(1, "site/#", byte(i))
	}
	good, _ := connect(t, s, rawmqtt.Connect{ID: "good"})
	good.Subscribe(1, "site/last", 1)
	pub, _ := connect(t, s, rawmqtt.Connect{ID: "pub"})
	payload := string(make([]byte, 20<<10))
	const n = 1000 // 20 MB, more than any socket takes
	for i := range n {
		pub.Publish(rawmqtt.Publish{Topic: "site/1", QoS: byte(i % 2), ID: uint16(i + 1), Payload: payload})
		if i%2 == 1 {
			pub.Acks(0x40, uint16(i+1))
		}
	}
	pub.Publish(rawmqtt.Publish{Topic: "site/last", QoS: 1, ID: 1, Payload: "still alive"})
	pub.Acks(0x40, 1)
	if m := good.Message(); m.Payload != "still alive" {
		t.Fatalf("%+v", m)
	}
	if st := s.Status(); st.NotDelivered == 0 {
		t.Fatalf("nothing was dropped for clients that never read: %+v", st)
	}
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	for _, c := range s.conns.all {
		c.mu.Lock()
		if n := c.backlog(); n > int(s.cfg.MaxWriteBacklog)+(21<<10) {
			t.Errorf("%s keeps %d bytes", c.session.id, n)
		}
		c.mu.Unlock()
	}
}

// smallBuffers makes the kernel hold little of what the client does not read.
func smallBuffers(t *testing.T, s *server, w *rawmqtt.Client) {
	t.Helper()
	err := w.Conn.(*net.TCPConn).SetReadBuffer(4096)
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	for nc := range s.conns.all {
		err = errors.Join(err, nc.(*net.TCPConn).SetWriteBuffer(4096))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A publisher that never reads its acknowledgements is not read any more after a while, and ends.
func TestAPublisherThatNeverReads(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "flood", Keepalive: 2})
	smallBuffers(t, s, w)
	_ = w.SetWriteDeadline(time.Now().Add(patient))
	var b []byte
	for id := range uint16(1000) {
		b = append(b, rawmqtt.Publish{Topic: "a", QoS: 1, ID: id + 1}.Bytes(w.V5)...)
	}
	wrote := 0
	for {
		n, err := w.Conn.Write(b)
		wrote += n
		if err != nil {
			break
		}
		if wrote > 1<<30 {
			t.Fatal("it was read for a gigabyte")
		}
	}
	await.Soon(t, "the connection ends", func() bool { return s.Status().Clients == 0 })
	if st := s.Status(); st.AcksPending != 0 {
		t.Fatalf("%+v", st)
	}
}

// The same for a client that asks and does not read the answers.
func TestAClientThatNeverReadsItsAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	w, _ := connect(t, s, rawmqtt.Connect{ID: "asks", V5: true, Keepalive: 1})
	smallBuffers(t, s, w)
	_ = w.SetWriteDeadline(time.Now().Add(patient))
	asks := rawmqtt.Packet(0xA2, append([]byte{0, 1, 0}, slices.Repeat(rawmqtt.Text("a"), 10_000)...)) // UNSUBSCRIBE: 10,000 codes in UNSUBACK
	for wrote := 0; ; wrote += len(asks) {
		if _, err := w.Conn.Write(asks); err != nil {
			break
		}
		if wrote > 1<<30 {
			t.Fatal("it was read for a gigabyte")
		}
	}
	await.Soon(t, "the connection ends", func() bool { return s.Status().Clients == 0 })
}

package broker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"edged/test/await"
)

// A subscriber that never reads stalls nobody: not its publishers, not other subscribers, not commits, and not itself when
// it is dropped.
func TestAStuckSubscriberStallsNobody(t *testing.T) {
	r := commits(t)
	s := start(t, setup{attach: handlers(r)})
	for i := range 3 {
		stuck, _ := connect(t, s, opts{id: fmt.Sprint("stuck", i)})
		stuck.subscribe(1, "site/#", byte(i))
	}
	good, _ := connect(t, s, opts{id: "good"})
	good.subscribe(1, "site/last", 1)
	pub, _ := connect(t, s, opts{id: "pub"})
	payload := string(make([]byte, 20<<10))
	const n = 1000 // 20 MB, more than any socket takes
	for i := range n {
		pub.publish(p{topic: "site/1", qos: byte(i % 2), id: uint16(i + 1), payload: payload})
		if i%2 == 1 {
			pub.acks(0x40, uint16(i+1))
		}
	}
	pub.publish(p{topic: "site/last", qos: 1, id: 1, payload: "still alive"})
	pub.acks(0x40, 1)
	if m := good.message(); m.payload != "still alive" {
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
func smallBuffers(t *testing.T, s *server, w *peer) {
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
	w, _ := connect(t, s, opts{id: "flood", keepalive: 2})
	smallBuffers(t, s, w)
	_ = w.SetWriteDeadline(time.Now().Add(patient))
	var b []byte
	for id := range uint16(1000) {
		b = append(b, w.publishPacket(p{topic: "a", qos: 1, id: id + 1})...)
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
	w, _ := connect(t, s, opts{id: "asks", v5: true, keepalive: 1})
	smallBuffers(t, s, w)
	_ = w.SetWriteDeadline(time.Now().Add(patient))
	asks := packet(0xA2, append([]byte{0, 1, 0}, slices.Repeat(text("a"), 10_000)...)) // UNSUBSCRIBE: 10,000 codes in UNSUBACK
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

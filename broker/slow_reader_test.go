package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/rawmqtt"
)

// narrow logs in, and lets the sockets take little, so that what is not read waits in the broker.
func narrow(t *testing.T, s *server, o rawmqtt.Connect) *rawmqtt.Client {
	t.Helper()
	w, _ := rawmqtt.Login(t, s.addr, o)
	_ = w.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = w.Conn.(*net.TCPConn).SetWriteBuffer(64 << 10)
	err := s.conn(o.ID).in.raw.Control(func(fd uintptr) {
		for _, buffer := range []int{syscall.SO_SNDBUF, syscall.SO_RCVBUF} {
			if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, buffer, 64<<10); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (s *server) conn(id string) *conn {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.sessions.byID[id].conn
}

// A client that makes the broker answer and does not read the answers is not read itself, and loses none of them.
func TestAClientThatReadsNoAnswersIsNotRead(t *testing.T) {
	s := start(t, setup{cfg: func(c *Config) { c.MaxWriteBacklog = 4 << 10 }})
	for tries := 1; !asksAndDoesNotRead(t, s, fmt.Sprint("c", tries)); tries++ {
		if tries == 20 {
			t.Error("in none of the tries it was the broker that stopped")
			break
		}
	}
}

// asksAndDoesNotRead reports whether the broker stopped reading. It may be the kernel that stopped: where both directions are full of small segments, Linux
// drops the news that there is room again, and asks for it after ever longer times.
func asksAndDoesNotRead(t *testing.T, s *server, id string) (stopped bool) {
	t.Helper()
	w := narrow(t, s, rawmqtt.Connect{ID: id})
	c := s.conn(id)
	var moved atomic.Int64 // when something was written last
	moved.Store(time.Now().UnixNano())
	pings := []byte(strings.Repeat("\xC0\x00", 8<<10))
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				sent <- n
				return
			default:
				if _, err := w.Write(pings); err != nil {
					t.Error(err)
					sent <- n
					return
				}
				n += len(pings) / 2
				moved.Store(time.Now().UnixNano())
			}
		}
	}()
	await.Soon(t, "it is not read any more", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		stopped = c.room != nil || c.backlog() > 1<<20
		return stopped || time.Since(time.Unix(0, moved.Load())) > 2*time.Second
	})
	c.mu.Lock()
	backlog := c.backlog()
	c.mu.Unlock()
	close(stop)
	if backlog > 3*4<<10 {
		t.Errorf("%d bytes wait to be written", backlog)
	}
	buf := make([]byte, 64<<10)
	read, all := 0, -1
	for end := time.Now().Add(patient); all < 0 || read < 2*all; {
		select {
		case all = <-sent:
		default:
			_ = w.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // all may have been read before it is known how many they are
			n, err := w.Conn.Read(buf)                                   // nothing else has come since CONNACK
			if read += n; err != nil && (time.Now().After(end) || !errors.Is(err, os.ErrDeadlineExceeded)) {
				t.Fatalf("%d answers to %d questions: %v", read/2, all, err)
			}
		}
	}
	if read != 2*all {
		t.Errorf("%d answers to %d questions", read/2, all)
	}
	w.Drop()
	return stopped
}

// Retained messages come completely, also with QoS 0 and when they are more than the write backlog.
func TestAllRetainedMessagesComeToAReader(t *testing.T) {
	const n = 2000
	s := start(t, setup{cfg: func(c *Config) { c.MaxWriteBacklog = 8 << 10 }})
	for i := range n {
		if err := s.Publish(t.Context(), fmt.Sprint("r/", i), []byte(strings.Repeat("x", 1000)), 0, true); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "they are retained", func() bool { return s.Status().Retained == n })
	w := narrow(t, s, rawmqtt.Connect{ID: "c"})
	w.Subscribe(1, "r/#", 0)
	topics := map[string]bool{}
	for range n {
		topics[w.Message().Topic] = true
	}
	w.Quiet()
	if len(topics) != n || s.Status().NotDelivered != 0 {
		t.Errorf("%d different ones; %d were dropped", len(topics), s.Status().NotDelivered)
	}
}

// Messages larger than the write backlog come one after the other to a client that reads, as soon as the one before is written.
func TestMessagesLargerThanTheBacklogCome(t *testing.T) {
	const n = 40
	s := start(t, setup{cfg: func(c *Config) { c.MaxWriteBacklog, c.MaxQueuedBytes = 4<<10, 16<<20 }})
	w := narrow(t, s, rawmqtt.Connect{ID: "c"})
	w.Subscribe(1, "a", 1)
	for i := range n {
		if err := s.Publish(t.Context(), "a", []byte(fmt.Sprintf("%05d%s", i, strings.Repeat("x", 100<<10))), 1, false); err != nil {
			t.Fatal(err)
		}
	}
	await.Soon(t, "they are on their way", func() bool { return s.queued("c") == n })
	if queued, _ := s.outbox("c").count(); queued == 0 {
		t.Fatal("none waits")
	}
	s.sessions.mu.Lock() // nothing that happens once a second helps
	for i := range n {
		f, err := w.TryRead(patient)
		m, ok := f.Message()
		if err != nil || !ok || m.Payload[:5] != fmt.Sprintf("%05d", i) {
			t.Errorf("%d: %.20v %v", i, f, err)
			break
		}
	}
	s.sessions.mu.Unlock()
	w.Quiet()
}

// A client that is disconnected learns why, although it goes on sending.
func TestTheReasonReachesAClientThatGoesOnSending(t *testing.T) {
	r := &receiver{}
	_, cfg := files(t, map[string]string{"ada": "1"}, "")
	s := start(t, setup{attach: handlers(r), cfg: func(c *Config) { cfg(c); c.MaxInflight, c.AllowAnonymous = 3, true }})
	t.Run("receive maximum", func(t *testing.T) {
		w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", V5: true})
		for id := range uint16(4) {
			w.Publish(rawmqtt.Publish{Topic: "site/1", QoS: 1, ID: id + 1})
		}
		goesOn(t, w, 0xE0, 0, 0x93)
	})
	t.Run("login", func(t *testing.T) {
		w := rawmqtt.Dial(t, s.addr)
		w.Send(rawmqtt.Connect{ID: "c", User: "ada", Password: "2"}.Bytes())
		goesOn(t, w, 0x20, 1, 4)
	})
}

// goesOn sends 400 KB that nobody wants, and then looks for the last packet's code.
func goesOn(t *testing.T, w *rawmqtt.Client, kind byte, at int, code byte) {
	t.Helper()
	part := rawmqtt.Publish{Topic: "site/2", Payload: strings.Repeat("x", 4000)}.Bytes(w.V5)
	for range 100 {
		if _, err := w.Write(part); err != nil {
			t.Fatalf("it cannot go on: %v", err)
		}
	}
	frames, reset := w.Rest()
	if reset || len(frames) == 0 {
		t.Fatalf("%v, reset %v", frames, reset)
	}
	if last := frames[len(frames)-1]; last.Kind != kind || last.Body[at] != code {
		t.Errorf("%v", last)
	}
}

// A client that sends faster than max_message_rate is not given up meanwhile: its keepalive is not counted while it is not read.
func TestKeepaliveOfAClientThatIsHeldBack(t *testing.T) {
	t.Parallel()
	s := start(t, setup{cfg: func(c *Config) { c.MaxMessageRate = 20 }})
	w, _ := rawmqtt.Login(t, s.addr, rawmqtt.Connect{ID: "c", Keepalive: 1})
	var all []byte
	for range 5 { // 70 in all, 20 at once and 20 a second: 2.5 s, and it may be silent for 2
		for range 14 {
			all = append(all, rawmqtt.Publish{Topic: "a"}.Bytes(false)...)
		}
		all = append(all, 0xC0, 0)
	}
	w.Send(all)
	for range 5 {
		if f := w.Read(); f.Kind != 0xD0 {
			t.Fatal(f)
		}
	}
	w.Quiet()
	if n := s.met.slowed.Get(); n < 20 {
		t.Errorf("%d publishes were held back", n)
	}
}

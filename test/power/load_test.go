package power

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/rawmqtt"
)

// message is one publish of the load. Each is published once.
type message struct {
	device string // topic[1], and with n its name
	n      int
	qos    byte
	retain bool
}

func (m message) name() string { return fmt.Sprint(m.device, "/", m.n) }

func (m message) topic() string {
	if m.retain {
		return fmt.Sprintf("site/%s/gpio/%d", m.device, m.n%3)
	}
	return fmt.Sprintf("site/%s/gpio/%d", m.device, m.n%8)
}

// payload is a few bytes usually, and now and then more than a page of the store, packed or not.
func (m message) payload() string {
	pad := m.n % 7 * 20
	if m.n%40 == 39 {
		pad = 6000
	}
	text := strings.Repeat("x", pad)
	if m.n%80 == 79 { // what cannot be packed
		r, b := rand.New(rand.NewPCG(uint64(m.n), 7)), make([]byte, pad)
		for i := range b {
			b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[r.UintN(64)]
		}
		text = string(b)
	}
	return fmt.Sprintf(`{"name":%q,"value":%d,"pad":%q}`, m.name(), m.n%100, text)
}

// sent is every message that was published, by the port of the connection and its packet identifier there.
type sent struct {
	mu  sync.Mutex
	all map[packet]message
}

type packet struct {
	port int
	id   uint16
}

// clients publish n messages each: with QoS 1, with QoS 2, and retained ones. round makes their names differ from those of
// another round.
func (s *sent) clients(t testing.TB, broker, n, round int) {
	t.Helper()
	errs := make(chan error, 6)
	for i := range 6 {
		m := message{device: fmt.Sprintf("d%d-%d", i, round), qos: 1}
		switch i {
		case 3, 4:
			m.qos = 2
		case 5:
			m.retain = true
		}
		go func() { errs <- s.client(fmt.Sprintf("127.0.0.1:%d", broker), m, n) }()
	}
	for range 6 {
		if err := <-errs; err != nil {
			t.Fatalf("a publisher: %v", err)
		}
	}
}

// client publishes n messages with up to eight on their way, and waits for all acknowledgements.
func (s *sent) client(addr string, m message, n int) error {
	w, _, err := rawmqtt.Reach(addr, rawmqtt.Connect{ID: m.device})
	if err != nil {
		return err
	}
	defer w.Drop()
	port := w.LocalAddr().(*net.TCPAddr).Port
	room, failed := make(chan struct{}, 8), make(chan error, 1)
	go func() {
		for done := 0; done < n; {
			f, err := w.TryRead(rawmqtt.Patience)
			if err == nil && f.Kind == 0x50 {
				_, err = w.Write(rawmqtt.Ack(0x62, f.ID()))
			} else if err == nil {
				done++
				<-room
			}
			if err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	for m.n = 1; m.n <= n; m.n++ {
		select {
		case room <- struct{}{}:
		case err := <-failed:
			return err
		}
		s.mu.Lock()
		s.all[packet{port, uint16(m.n)}] = m
		s.mu.Unlock()
		if _, err := w.Write(rawmqtt.Publish{Topic: m.topic(), Payload: m.payload(), QoS: m.qos, ID: uint16(m.n), Retain: m.retain}.Bytes(false)); err != nil {
			return err
		}
		time.Sleep(3 * time.Millisecond) // a sensor, not a flood: there are to be many commits
	}
	return <-failed
}

// acked are the messages whose acknowledgement had been given at a cut: PUBACK, or PUBREC, after which a client does not publish
// again.
func (r *run) acked(cut int) []message {
	out := slices.Clone(r.before)
	for _, a := range r.Acks {
		if m, ok := r.sent.all[packet{a.Port, a.ID}]; ok && a.Begin < cut && (a.Kind == 0x40 || a.Kind == 0x50) {
			out = append(out, m)
		}
	}
	return out
}

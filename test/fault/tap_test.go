package fault

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/verdict"
)

// tap stands between edged and a broker, and notes what is delivered and what is acknowledged (MQTT 3.1.1).
type tap struct {
	t    testing.TB
	to   string // the broker
	addr string

	mu        sync.Mutex
	l         net.Listener
	conns     map[net.Conn]bool
	logins    int               // CONNACKs that accept
	delivered map[string][]bool // by message: for each delivery, whether it may come again, because it has DUP or something was restarted
	acked     map[string]int    // by message: PUBACKs of edged
	restarts  int
	ofLife    map[string]int // by message: restarts at its last delivery
}

// newTap serves on l until the test ends.
func newTap(t testing.TB, l net.Listener, to string) *tap {
	p := &tap{t: t, to: to, addr: l.Addr().String(), conns: map[net.Conn]bool{}, delivered: map[string][]bool{}, acked: map[string]int{}, ofLife: map[string]int{}}
	p.serve(l)
	t.Cleanup(p.down)
	return p
}

func (p *tap) serve(l net.Listener) {
	p.mu.Lock()
	p.l = l
	p.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.relay(c)
		}
	}()
}

// down refuses connections, and ends those that are open.
func (p *tap) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.l.Close()
	for c := range p.conns {
		_ = c.Close()
	}
}

// up listens again.
func (p *tap) up() {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.serve(l)
}

// restarted says that edged or the broker was: what was delivered before may come again without DUP.
func (p *tap) restarted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.restarts++
}

func (p *tap) loggedIn() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logins
}

func (p *tap) acknowledged() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acked)
}

// more waits until edged has acknowledged n more messages, and reports whether it did in time.
func (p *tap) more(n int, within time.Duration) bool {
	got := p.acknowledged()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if p.acknowledged() >= got+n {
			return true
		}
	}
	return false
}

func (p *tap) relay(edged net.Conn) {
	defer edged.Close()
	broker, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer broker.Close()
	p.mu.Lock()
	p.conns[edged] = true
	p.mu.Unlock()
	ids := map[uint16]string{} // of what is in flight on this connection; guarded by mu
	ended := make(chan struct{}, 2)
	go func() {
		p.copy(broker, edged, func(f []byte, body int) { p.fromEdged(f, body, ids) })
		ended <- struct{}{}
	}()
	go func() {
		p.copy(edged, broker, func(f []byte, body int) { p.fromBroker(f, body, ids) })
		ended <- struct{}{}
	}()
	<-ended
	p.mu.Lock()
	delete(p.conns, edged)
	p.mu.Unlock()
}

// copy relays frames; each is noted before it is passed on.
func (p *tap) copy(to, from net.Conn, note func(frame []byte, body int)) {
	r := bufio.NewReader(from)
	for {
		frame := make([]byte, 0, 256)
		first, err := r.ReadByte()
		if err != nil {
			return
		}
		frame = append(frame, first)
		length := 0
		for shift := 0; ; shift += 7 {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			frame = append(frame, b)
			length |= int(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
		body := len(frame)
		frame = append(frame, make([]byte, length)...)
		if _, err := io.ReadFull(r, frame[body:]); err != nil {
			return
		}
		note(frame, body)
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}

func (p *tap) fromBroker(f []byte, body int, ids map[uint16]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case f[0] == 0x20 && f[body+1] == 0:
		p.logins++
	case f[0]>>4 == 3 && f[0]>>1&3 == 1:
		n := int(binary.BigEndian.Uint16(f[body:]))
		topic, rest := string(f[body+2:body+2+n]), f[body+2+n:]
		m := message(topic, rest[2:])
		again := f[0]&8 != 0 || len(p.delivered[m]) > 0 && p.ofLife[m] < p.restarts
		p.delivered[m], p.ofLife[m] = append(p.delivered[m], again), p.restarts
		ids[binary.BigEndian.Uint16(rest)] = m
	}
}

func (p *tap) fromEdged(f []byte, body int, ids map[uint16]string) {
	if f[0] != 0x40 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m, ok := ids[binary.BigEndian.Uint16(f[body:])]; ok {
		p.acked[m]++
		delete(ids, binary.BigEndian.Uint16(f[body:]))
	}
}

func message(topic string, payload []byte) string { return topic + " " + string(payload) }

// judge holds what edged has acknowledged to the broker against the raw rows.
func (p *tap) judge(t testing.TB, e *harness.Edged, fault string) verdict.Verdict {
	t.Helper()
	rows := map[string]int{}
	for _, line := range linesOf(t, filepath.Join(e.Dir, "raw.ndjson")) {
		var row struct {
			Topic   string
			Payload json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows[message(row.Topic, row.Payload)]++
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v, again := verdict.Verdict{Fault: fault, Acked: int64(len(p.acked))}, 0
	for m := range p.acked {
		if rows[m] == 0 {
			v.Lost++
		}
	}
	for m, n := range rows {
		allowed := 1
		for _, dup := range p.delivered[m] {
			if dup {
				allowed++
				again++
			}
		}
		v.Doubled += int64(max(0, n-allowed))
	}
	v.Expected = fmt.Sprintf("%d deliveries came again, with DUP or after a restart", again)
	return v
}

package fault

import (
	"fmt"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
)

// publisher is a client that repeats what was not acknowledged until it is, over connections, as MQTT asks of a client that keeps
// its session: PUBLISH with DUP, or PUBREL [MQTT-4.4.0-1]. If the broker has no session any more, what it had not acknowledged is sent as
// new, and what it had is not touched. Acknowledged means PUBACK or PUBREC.
type publisher struct {
	addr    string
	login   rawmqtt.Connect
	w       *rawmqtt.Client // nil while it is away
	lastID  uint16
	open    []*letter // sent and not completed, in order
	acked   []rawmqtt.Publish
	refused []rawmqtt.Publish
}

// letter is a message on its way.
type letter struct {
	rawmqtt.Publish
	received bool // QoS 2: PUBREC has come
}

func newPublisher(e *harness.Edged, v5 bool, id string) *publisher {
	return &publisher{addr: addr(e), login: login(v5, id)}
}

// come connects, and repeats.
func (p *publisher) come() error {
	w, ack, err := rawmqtt.Reach(p.addr, p.login)
	if err != nil {
		return err
	}
	p.w = w
	present := ack.Body[0] == 1
	var again []byte
	var open []*letter
	for _, l := range p.open {
		if l.received && !present {
			continue // acknowledged, and forgotten with the session
		}
		open = append(open, l)
		if l.received {
			again = append(again, rawmqtt.Ack(0x62, l.ID)...)
			continue
		}
		m := l.Publish
		m.Dup = present
		again = append(again, m.Bytes(p.login.V5)...)
	}
	p.open = open
	_, err = w.Write(again)
	return err
}

// leave ends the connection without a word.
func (p *publisher) leave() {
	if p.w != nil {
		p.w.Drop()
		p.w = nil
	}
}

// send gives messages identifiers and sends them in one write.
func (p *publisher) send(ms ...rawmqtt.Publish) error {
	var b []byte
	for _, m := range ms {
		if m.QoS > 0 {
			m.ID = p.free()
			p.open = append(p.open, &letter{Publish: m})
		}
		b = append(b, m.Bytes(p.login.V5)...)
	}
	if p.w == nil {
		return fmt.Errorf("%s is not connected", p.login.ID)
	}
	_, err := p.w.Write(b)
	return err
}

// free is an identifier that is not in use.
func (p *publisher) free() uint16 {
	for {
		if p.lastID++; p.lastID != 0 && p.find(p.lastID) < 0 {
			return p.lastID
		}
	}
}

func (p *publisher) find(id uint16) int {
	for i, l := range p.open {
		if l.ID == id {
			return i
		}
	}
	return -1
}

// step takes one packet and answers it.
func (p *publisher) step() error {
	f, err := p.w.TryRead(rawmqtt.Patience)
	if err != nil {
		return err
	}
	if f.Kind != 0x40 && f.Kind != 0x50 && f.Kind != 0x70 {
		return nil
	}
	i := p.find(f.ID())
	if i < 0 {
		return nil // of a message that is through: we repeated a PUBREL
	}
	l := p.open[i]
	if f.Kind != 0x70 && f.Code() >= 0x80 {
		p.refused = append(p.refused, l.Publish)
	} else if f.Kind != 0x70 && !l.received {
		p.acked = append(p.acked, l.Publish)
	}
	if f.Kind == 0x50 && f.Code() < 0x80 {
		l.received = true
		_, err = p.w.Write(rawmqtt.Ack(0x62, l.ID))
		return err
	}
	p.open = append(p.open[:i], p.open[i+1:]...)
	return nil
}

// settle waits until everything is completed.
func (p *publisher) settle() error {
	for len(p.open) > 0 {
		if err := p.step(); err != nil {
			return err
		}
	}
	return nil
}

// insist settles over as many connections as that takes.
func (p *publisher) insist(within time.Duration) error {
	for until := time.Now().Add(max(within, rawmqtt.Patience)); ; time.Sleep(30 * time.Millisecond) {
		err := error(nil)
		if p.w == nil {
			err = p.come()
		}
		if err == nil {
			err = p.settle()
		}
		if err == nil {
			return nil
		}
		p.leave()
		if time.Now().After(until) {
			return fmt.Errorf("%s: %d messages are not completed: %w", p.login.ID, len(p.open), err)
		}
	}
}

// must connects, publishes and settles, 100 messages at a time, or fails the test.
func (p *publisher) must(t testing.TB, ms ...rawmqtt.Publish) {
	t.Helper()
	p.pipeline(t, 100, ms)
}

// pipeline is must with as many at a time as it says.
func (p *publisher) pipeline(t testing.TB, window int, ms []rawmqtt.Publish) {
	t.Helper()
	if p.w == nil {
		if err := p.come(); err != nil {
			t.Fatal(err)
		}
	}
	for len(ms) > 0 {
		n := min(window, len(ms))
		err := p.send(ms[:n]...)
		if err == nil {
			err = p.settle()
		}
		if err != nil {
			t.Fatal(err)
		}
		ms = ms[n:]
	}
	if len(p.refused) > 0 {
		t.Fatalf("%s: %d messages were refused", p.login.ID, len(p.refused))
	}
}

// payloads are those that were acknowledged, of at least a QoS.
func (p *publisher) payloads(qos byte) (ps []string) {
	for _, m := range p.acked {
		if m.QoS >= qos {
			ps = append(ps, m.Payload)
		}
	}
	return ps
}

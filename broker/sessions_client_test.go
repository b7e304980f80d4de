package broker

import (
	"fmt"
	"testing"

	"edged/test/rawmqtt"
)

// publisher is a client with a persistent session that publishes, and repeats what was not acknowledged, as the protocol wants it.
type publisher struct {
	id       string
	w        *rawmqtt.Client // nil while it is away
	n        int
	flight   []*published1
	accepted func(payload string)
}

type published1 struct {
	rawmqtt.Publish
	received bool // PUBREC has come: PUBREL is what is repeated
}

func (p *publisher) connect(t testing.TB, s *server) {
	p.w, _ = connect(t, s, rawmqtt.Connect{ID: p.id, Keep: true})
	t.Logf("%s connects", p.id)
	for _, f := range p.flight {
		t.Logf("%s repeats %q, received %t", p.id, f.Payload, f.received)
		if f.received {
			p.w.Ack(0x62, f.ID)
		} else {
			f.Dup = true
			p.w.Publish(f.Publish)
		}
	}
}

// publish returns the payload.
func (p *publisher) publish(qos byte) string {
	p.n++
	id := uint16(1)
	for p.uses(id) { // identifiers are used again at once
		id++
	}
	m := rawmqtt.Publish{Topic: "t/" + p.id, QoS: qos, ID: id, Payload: fmt.Sprintf("%s %d %d", p.id, qos, p.n)}
	p.flight = append(p.flight, &published1{Publish: m})
	p.w.Publish(m)
	return m.Payload
}

func (p *publisher) uses(id uint16) bool {
	for _, f := range p.flight {
		if f.ID == id {
			return true
		}
	}
	return false
}

// read takes in what has come.
func (p *publisher) read(t testing.TB) {
	for _, f := range arrived(t, p.w) {
		for i, m := range p.flight {
			if m.ID != f.ID() {
				continue
			}
			switch {
			case f.Kind == 0x40 && m.QoS == 1, f.Kind == 0x70 && m.received:
				p.flight = append(p.flight[:i:i], p.flight[i+1:]...)
			case f.Kind == 0x50 && m.QoS == 2:
				m.received = true
				p.w.Ack(0x62, m.ID)
			default:
				t.Fatalf("%s: %v for %+v", p.id, f, m)
			}
			t.Logf("%s reads %v for %q", p.id, f, m.Payload)
			if f.Kind != 0x70 {
				p.accepted(m.Payload)
			}
			break
		}
	}
}

// arrived is what has come by the time the answer to a PINGREQ does.
func arrived(t testing.TB, w *rawmqtt.Client) (out []rawmqtt.Frame) {
	t.Helper()
	w.Send([]byte{0xC0, 0})
	for {
		f := w.Read()
		if f.Kind == 0xD0 {
			return out
		}
		out = append(out, f)
	}
}

// subscriber is a client with a persistent session that takes messages and acknowledges them when it is told to.
type subscriber struct {
	id   string
	w    *rawmqtt.Client // nil while it is away
	have map[uint16]string
	acks []rawmqtt.Frame // to be answered, in order
	got  []string        // by QoS of the delivery, and payload
	sub  bool            // it has a subscription that was acknowledged
}

func (c *subscriber) connect(t testing.TB, s *server) {
	w, present := connect(t, s, rawmqtt.Connect{ID: c.id, Keep: true})
	if c.sub && !present {
		t.Fatalf("%s: its session is gone", c.id)
	}
	t.Logf("%s connects", c.id)
	c.w, c.acks = w, nil
	if c.have == nil || !present {
		c.have = map[uint16]string{}
	}
}

// renew ends the session of a client, and begins another one.
func (c *subscriber) renew(t testing.TB, s *server) {
	w, _ := connect(t, s, rawmqtt.Connect{ID: c.id})
	w.Disconnect()
	c.sub, c.have, c.got = false, nil, nil
	c.connect(t, s)
}

func (c *subscriber) read(t testing.TB) { c.take(t, arrived(t, c.w)) }

func (c *subscriber) take(t testing.TB, fs []rawmqtt.Frame) {
	for _, f := range fs {
		m, ok := f.Message()
		t.Logf("%s reads %02X%02X %d %q", c.id, f.Kind, f.Bits, f.ID(), m.Payload)
		if ok {
			t.Logf("  identifier %d", m.ID)
		}
		switch {
		case !ok && f.Kind != 0x62:
			t.Fatalf("%s: %v", c.id, f)
		case !ok:
			delete(c.have, f.ID())
		case m.QoS == 1:
			c.got = append(c.got, m.Payload)
		default:
			before, known := c.have[m.ID]
			if known && before != m.Payload {
				t.Fatalf("%s: identifier %d is used for %q before %q was released: it would be swallowed", c.id, m.ID, m.Payload, before)
			}
			if !known {
				c.got = append(c.got, m.Payload)
			}
			c.have[m.ID] = m.Payload
		}
		c.acks = append(c.acks, f)
	}
}

// answer acknowledges the first n that it has not.
func (c *subscriber) answer(n int) {
	for ; n > 0 && len(c.acks) > 0; n-- {
		f := c.acks[0]
		c.acks = c.acks[1:]
		m, ok := f.Message()
		switch {
		case !ok:
			c.w.Ack(0x70, f.ID())
		case m.QoS == 1:
			c.w.Ack(0x40, m.ID)
		default:
			c.w.Ack(0x50, m.ID)
		}
	}
}

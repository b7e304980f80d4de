package broker

import (
	"time"

	"edged"
	"edged/broker/wire"
)

// message is a publish on its way to subscribers. It is shared, and not changed once it is in a lane.
type message struct {
	topic   string
	payload []byte
	props   []byte // what MQTT 5 subscribers get unaltered (MQTT 5, 3.3.2.3), as on the wire
	qos     byte
	retain  bool
	origin  string // client id of the publisher, for No Local; "" for the gateway itself
	expiry  int64  // milliseconds since 1970 after which nobody wants it; 0: never
	since   uint64 // the number of changes of the routes when it was taken: who subscribed later does not get it; 0: everybody does
	change  *noted // what it does to the retained message of its topic; nil: nothing
	ticket  uint64 // of lowWater, if it is kept
	kept    bool   // sessions that are kept find it in the log
	to      audience
	at      edged.Pos // its place there, once it is durable
}

// audience is who gets a message. One of QoS 2 that was stored in part can come in two: the copy that sessions read is stored, and theirs also after a
// crash; everybody else gets it with its repeat.
type audience uint8

const (
	everybody  audience = iota
	readers             // sessions that read the log
	notReaders          // the others
)

// has reports whether one who reads the log, or does not, is among them.
func (a audience) has(reader bool) bool { return a == everybody || (a == readers) == reader }

// reads reports whether a session gets the message from the log after a crash.
func (m *message) reads(s *session, g *grant) bool { return s.kept && min(m.qos, g.qos) > 0 }

// messageOf makes a message of a client's PUBLISH, in memory of its own.
func messageOf(p *wire.Publish, topic, origin string) *message {
	own := make([]byte, 0, len(p.Payload)+len(p.Props))
	own = append(append(own, p.Payload...), p.Props...)
	n := len(p.Payload)
	m := &message{topic: topic, payload: own[:n:n], props: own[n:], qos: p.QoS, retain: p.Retain, origin: origin}
	if p.HasExpiry {
		m.expiresIn(p.Expiry)
	}
	return m
}

func (m *message) expiresIn(seconds uint32) { m.expiry = expiryIn(seconds) }

func expiryIn(seconds uint32) int64 { return time.Now().UnixMilli() + 1000*int64(seconds) }

// size is what it takes in memory.
func (m *message) size() int { return len(m.topic) + len(m.payload) + len(m.props) }

// inSeconds rounds up: nothing ends before its time.
func inSeconds(ms int64) int64 { return (ms + 999) / 1000 }

func (m *message) expired() bool { return m.expiry > 0 && m.expiry <= time.Now().UnixMilli() }

// packet is the PUBLISH for a subscriber.
func (m *message) packet(qos byte, retain bool, ids []uint32) wire.Message {
	out := wire.Message{Topic: m.topic, Payload: m.payload, Props: m.props, SubIDs: ids, QoS: qos, Retain: retain}
	if m.expiry > 0 { // what is left of it [MQTT-3.3.2-6]
		out.Expiry, out.HasExpiry = uint32(max(1, inSeconds(m.expiry-time.Now().UnixMilli()))), true
	}
	return out
}

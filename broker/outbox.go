package broker

import (
	"cmp"
	"math"
	"slices"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// maxQueuedBytes bounds the payloads that wait for one subscriber. One is always admitted.
const maxQueuedBytes = 16 << 20

// outbox holds the deliveries with QoS 1 and 2 that a session has not acknowledged: those in flight, which have a packet
// identifier, and those that wait, because the client is away or its window is full. It keeps them over connections, in
// order [MQTT-4.6.0-6]. Its methods do not block, and can be called from any goroutine.
type outbox struct {
	b *Broker

	mu      sync.Mutex
	c       *conn // nil while the client is away
	cl      *mqtt.Client
	window  int // most deliveries that may be unacknowledged on c [MQTT-3.3.4-9]
	open    int // those that are
	flights map[uint16]*flight
	repeat  []*flight // in flight since an earlier connection, and not repeated on c yet
	waiting []letter
	bytes   int // of payload that waits
	lastID  uint16
	number  uint64 // of the last change of a flight
}

// letter is one delivery.
type letter struct {
	m      *message
	ids    []int // subscription identifiers
	qos    byte
	retain bool
}

// flight is a delivery that was sent.
type flight struct {
	letter
	id       uint16
	number   uint64 // its place in the order of repeats
	released bool   // QoS 2: PUBREC came, PUBREL was sent [MQTT-4.3.3-5]
	open     bool   // it counts against the window
}

// add delivers a letter, now or later. It is dropped and counted when too many wait.
func (o *outbox) add(l letter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full(l) {
		o.dropExpired()
	}
	if o.full(l) {
		o.b.met.queueFull.Inc()
		o.b.seldom.Warn("queue", "broker: a message for a subscriber was dropped: as many as max_queued_messages wait for it, or 16 MiB",
			"topic", l.m.topic)
		return
	}
	o.waiting = append(o.waiting, l)
	o.bytes += len(l.m.payload)
	o.pump()
}

func (o *outbox) full(l letter) bool {
	return len(o.waiting)+len(o.flights) >= o.b.cfg.MaxQueuedMessages ||
		len(o.waiting) > 0 && o.bytes+len(l.m.payload) > maxQueuedBytes
}

func (o *outbox) dropExpired() {
	o.waiting = slices.DeleteFunc(o.waiting, func(l letter) bool {
		if l.m.expired() {
			o.bytes -= len(l.m.payload)
			return true
		}
		return false
	})
}

// attach sends on a connection from now on: first what is in flight [MQTT-4.4.0-1] [MQTT-4.6.0-1], then what waits.
func (o *outbox) attach(c *conn, cl *mqtt.Client, window int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.c, o.cl, o.window, o.open = c, cl, window, 0
	o.repeat = o.repeat[:0]
	for _, f := range o.flights {
		f.open = false
		o.repeat = append(o.repeat, f)
	}
	slices.SortFunc(o.repeat, func(a, b *flight) int { return cmp.Compare(a.number, b.number) })
	o.pump()
}

// detach stops sending.
func (o *outbox) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.c, o.cl = nil, nil
}

func (o *outbox) sending() bool { return o.c != nil && !o.c.closed() }

// pump sends what may be sent.
func (o *outbox) pump() {
	for o.sending() && len(o.repeat) > 0 {
		f := o.repeat[0]
		if f.released {
			o.release(f.id, packets.CodeSuccess)
		} else if o.open < o.window {
			o.send(f, true)
		} else {
			return
		}
		o.repeat = o.repeat[1:]
	}
	for o.sending() && len(o.waiting) > 0 && o.open < o.window && len(o.flights) < math.MaxUint16 {
		l := o.waiting[0]
		o.waiting[0] = letter{}
		if o.waiting = o.waiting[1:]; len(o.waiting) == 0 {
			o.waiting = nil
		}
		o.bytes -= len(l.m.payload)
		if !l.m.expired() {
			o.send(o.launch(l), false)
		}
	}
}

// launch gives a letter its packet identifier [MQTT-2.2.1-4]; there must be a free one.
func (o *outbox) launch(l letter) *flight {
	for {
		o.lastID++
		if o.lastID == 0 {
			continue
		}
		if _, used := o.flights[o.lastID]; !used {
			break
		}
	}
	if o.flights == nil {
		o.flights = map[uint16]*flight{}
	}
	o.number++
	f := &flight{letter: l, id: o.lastID, number: o.number}
	o.flights[f.id] = f
	return f
}

func (o *outbox) send(f *flight, again bool) {
	pk := f.packet()
	pk.PacketID, pk.FixedHeader.Dup = f.id, again // [MQTT-3.3.1-1]
	f.open = true
	o.open++
	if !o.b.write(o.cl, pk) {
		o.end(f) // [MQTT-3.1.2-25]
	}
}

func (l *letter) packet() packets.Packet {
	pk := l.m.packet(l.qos, l.retain)
	pk.Properties.SubscriptionIdentifier = l.ids
	return pk
}

func (o *outbox) end(f *flight) {
	delete(o.flights, f.id)
	if f.open {
		o.open--
	}
}

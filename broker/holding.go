package broker

import (
	"slices"

	"edged"
	"edged/broker/record"
)

// holdBack has a delivery with QoS 2 wait until its identifier is durable: when edged is killed, it goes on under it. What is held
// counts against the window.
func (o *outbox) holdBack(f *flight) {
	var puts []edged.Put
	if f.ref == (record.Ref{}) {
		f.ref = record.Ref{Off: o.b.keeping.numbers.Add(1)}
		puts = append(puts, edged.Put{Space: record.Queues, Key: record.QueueKey(o.s.id, f.ref.Off), Value: f.letter.record()})
	}
	puts = append(puts, o.half(f, record.Sent))
	f.held = true
	o.opens(f)
	o.b.keeping.submit(puts, func() { o.durable(f) })
}

// holdRelease has PUBREL wait until it is durable that PUBREC has come: after that PUBLISH must not be sent again [MQTT-4.3.3-6].
func (o *outbox) holdRelease(f *flight) {
	puts := []edged.Put{o.half(f, record.Released)}
	if f.ref.Seq == 0 { // the message is no longer needed
		puts = append(puts, edged.Put{Space: record.Queues, Key: record.QueueKey(o.s.id, f.ref.Off)})
	}
	f.held = true
	o.b.keeping.submit(puts, func() { o.durable(f) })
}

func (o *outbox) half(f *flight, state record.State) edged.Put {
	return edged.Put{Space: record.Inflight, Key: record.InflightKey(o.s.id, f.ref), Value: record.Half{ID: f.id, State: state}.Append(nil)}
}

// durable sends what was held.
func (o *outbox) durable(f *flight) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.held = false
	o.touched = true
	if o.flights[f.id] != f || o.c == nil {
		return // it has ended, or goes out with the next connection
	}
	if !slices.Contains(o.repeat, f) { // a new connection may have begun, and not come to it
		o.repeat = append(o.repeat, f)
	}
	o.pump()
}

// forget takes a letter that is not delivered any more off the disk, if it has a form of its own there.
func (o *outbox) forget(l *letter) {
	if o.s.kept && l.ref.Seq == 0 && l.ref.Off > 0 {
		o.b.keeping.put(record.Queues, record.QueueKey(o.s.id, l.ref.Off), nil)
	}
}

// forgetFlight does that for one that was sent. One with QoS 2 and a place in the log stays known until the mark has passed it.
func (o *outbox) forgetFlight(f *flight) {
	switch {
	case !o.s.kept:
	case f.qos == 2 && f.ref.Seq > 0:
		o.done = append(o.done, &ended2{ref: f.ref, id: f.id})
	case f.qos == 2:
		o.b.keeping.put(record.Inflight, record.InflightKey(o.s.id, f.ref), nil)
		fallthrough
	default:
		o.forget(&f.letter)
	}
}

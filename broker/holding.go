package broker

import (
	"slices"

	"edged"
	"edged/broker/record"
)

// holdBack has a delivery with QoS 2 wait until its identifier is durable: when edged is killed, it goes on under it. What is held
// counts against the window.
func (o *outbox) holdBack(f *flight) {
	if f.ref == (record.Ref{}) {
		f.ref, f.fresh = record.Ref{Off: o.b.keeping.number()}, true
	}
	f.held = true
	o.opens(f)
	o.writeHalf(f)
}

// holdRelease has PUBREL wait until it is durable that PUBREC has come: after that PUBLISH must not be sent again [MQTT-4.3.3-6].
func (o *outbox) holdRelease(f *flight) {
	f.held = true
	o.writeHalf(f)
}

// writeHalf makes durable how far a delivery with QoS 2 is, and sends what waits for that. It is called with mu.
func (o *outbox) writeHalf(f *flight) {
	half := record.Half{ID: f.id, State: record.Sent}
	var puts []edged.Put
	switch {
	case f.released:
		half.State = record.Released
		if f.ref.Seq == 0 { // the message is no longer needed
			puts = append(puts, edged.Put{Space: record.Queues, Key: record.QueueKey(o.s.id, f.ref.Off)})
		}
	case f.fresh:
		puts = append(puts, edged.Put{Space: record.Queues, Key: record.QueueKey(o.s.id, f.ref.Off), Value: f.letter.record()})
	}
	puts = append(puts, edged.Put{Space: record.Inflight, Key: record.InflightKey(o.s.id, f.ref), Value: half.Append(nil)})
	k := &o.b.keeping
	k.submit(&edged.Update{Puts: puts}, func(err error) {
		if err == nil {
			o.durable(f)
			return
		}
		k.again(func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.flights[f.id] == f { // else its session has ended
				o.writeHalf(f)
			}
		})
	})
	k.store.Waiting()
}

// durable sends what was held.
func (o *outbox) durable(f *flight) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.held, f.fresh = false, false
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
	if !o.s.kept {
		return
	}
	if f.qos == 2 && !f.released {
		o.b.keeping.soon.Store(true) // its identifier may be used again before the next ride, and must not be found twice
	}
	switch {
	case f.qos == 2 && f.ref.Seq > 0:
		o.done = append(o.done, &ended2{ref: f.ref, id: f.id})
	case f.qos == 2:
		o.b.keeping.put(record.Inflight, record.InflightKey(o.s.id, f.ref), nil)
		fallthrough
	default:
		o.forget(&f.letter)
	}
}

// traces is what the outbox has on disk, to be taken off it. It is called with mu.
func (o *outbox) traces() (puts []edged.Put) {
	queue := func(l *letter) {
		if l.ref.Seq == 0 && l.ref.Off > 0 {
			puts = append(puts, edged.Put{Space: record.Queues, Key: record.QueueKey(o.s.id, l.ref.Off)})
		}
	}
	half := func(r record.Ref) {
		puts = append(puts, edged.Put{Space: record.Inflight, Key: record.InflightKey(o.s.id, r)})
	}
	o.waiting.each(queue)
	for _, f := range o.flights {
		if queue(&f.letter); f.qos == 2 {
			half(f.ref)
		}
	}
	for _, d := range o.done {
		half(d.ref)
	}
	return puts
}

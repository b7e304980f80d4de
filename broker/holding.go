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
	o.opens(f)
	o.hold(f)
}

// hold has a delivery with QoS 2 wait until it is durable how far it is. PUBREC has to be so before PUBREL leaves, because PUBLISH must not
// be sent after that again [MQTT-4.3.3-6].
func (o *outbox) hold(f *flight) {
	f.held, f.durable = true, false
	o.held = append(o.held, f)
	if !o.failing { // else it is submitted after those before it
		o.submit(f)
	}
}

// submit makes durable how far a delivery is. It is called with mu.
func (o *outbox) submit(f *flight) {
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
	f.submitted = true
	k := &o.b.keeping
	k.submit(&edged.Update{Puts: puts}, func(err error) { o.submitted(f, err) })
	k.store.Waiting()
}

// submitted sends what is durable, in the order in which it was held: what comes after something that had no room waits for it.
func (o *outbox) submitted(f *flight, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	f.submitted, f.durable, o.touched = false, err == nil, true
	if err != nil && !o.failing {
		o.failing = true
		o.b.keeping.again(o.resubmit)
	}
	for len(o.held) > 0 && o.held[0].durable {
		f, o.held = o.held[0], o.held[1:]
		f.held, f.fresh = false, false
		if !slices.Contains(o.repeat, f) { // a new connection may have begun, and not come to it
			o.repeat = append(o.repeat, f)
		}
	}
	if len(o.held) == 0 {
		o.held = nil
	}
	if o.c != nil {
		o.pump()
	}
}

// resubmit tries again what had no room, and what has come since.
func (o *outbox) resubmit() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failing = false
	for _, f := range o.held {
		if !f.durable && !f.submitted {
			o.submit(f)
		}
	}
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

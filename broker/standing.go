package broker

import (
	"cmp"
	"slices"

	"edged/broker/record"
	"edged/broker/wire"
)

// standing is where an outbox stands in the log.
type standing struct {
	mark    record.Ref // every place before it is settled, or written down; zero: the low water is, because nothing waits
	flights []record.Flight
}

// touch has the outbox looked at with the next ride.
func (o *outbox) touch() {
	o.mu.Lock()
	o.touched = true
	o.mu.Unlock()
}

// stand returns where the outbox stands, and writes down what does not follow from that: letters that have no place in the log, or may
// not hold it any longer, and the deliveries with QoS 2 that have ended. changed is false if nothing was moved since it was last called.
func (o *outbox) stand(w *writing) (s standing, changed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.touched && (o.lowest.Seq == 0 || o.lowest.Seq >= w.copyTo) {
		w.needs(o.lowest)
		return s, false
	}
	o.touched, o.lowest = false, record.Ref{}
	for _, f := range o.inOrder() {
		switch {
		case f.held && !f.released: // its identifier is not durable: it counts as one that waits
			s.mark = lower(s.mark, f.ref)
		case f.held: // that it was released is not durable: until then its message is needed
		case f.released:
			continue
		case mustCopy(&f.letter, w):
			o.copyFlight(f, w)
		}
		if f.qos == 1 {
			s.flights = append(s.flights, record.Flight{ID: f.id, Ref: f.ref})
		}
		o.lowest = lower(o.lowest, f.ref)
	}
	o.waiting.each(func(l *letter) {
		if mustCopy(l, w) {
			o.copy(l, w)
		}
		s.mark = lower(s.mark, l.ref)
	})
	o.lowest = lower(o.lowest, s.mark)
	w.needs(o.lowest)
	if s.mark.Seq >= w.low { // what has not been through the fan-out may come before it
		s.mark, o.touched = record.Ref{Seq: w.low}, true
	}
	o.endDone(w, s.mark)
	return s, true
}

// inOrder returns the deliveries under way as they were sent.
func (o *outbox) inOrder() []*flight {
	fs := make([]*flight, 0, len(o.flights))
	for _, f := range o.flights {
		fs = append(fs, f)
	}
	slices.SortFunc(fs, func(a, b *flight) int { return cmp.Compare(a.number, b.number) })
	return fs
}

func lower(a, b record.Ref) record.Ref {
	if b.Seq > 0 && (a.Seq == 0 || b.Before(a)) {
		return b
	}
	return a
}

// needs notes that a place in the log is needed.
func (w *writing) needs(r record.Ref) {
	if r.Seq > 0 {
		w.hold = min(w.hold, r.Seq)
	}
}

// endDone writes down the deliveries with QoS 2 that have ended, and takes back those that the mark has passed.
func (o *outbox) endDone(w *writing, mark record.Ref) {
	low := record.Ref{Seq: w.low}
	mark = lower(low, mark)
	o.done = slices.DeleteFunc(o.done, func(d *ended2) bool {
		key := record.InflightKey(o.s.id, d.ref)
		switch {
		case d.ref.Before(mark):
			w.put(record.Inflight, key, nil)
			return true
		case !d.written:
			w.put(record.Inflight, key, record.Half{ID: d.id, State: record.Done}.Append(nil))
			d.written = true
		}
		o.touched = o.touched || !d.ref.Before(low)
		return false
	})
}

// ended2 is a delivery with QoS 2 that has ended.
type ended2 struct {
	ref     record.Ref
	id      uint16
	written bool
}

// mustCopy reports whether a letter needs a form of its own on disk: it has no place in the log, or it holds too much of it.
func mustCopy(l *letter, w *writing) bool {
	if l.ref.Seq == 0 {
		return l.ref.Off == 0
	}
	return l.ref.Seq < w.copyTo && w.room > 0
}

// copy gives a letter a form of its own.
func (o *outbox) copy(l *letter, w *writing) {
	value := l.record()
	l.ref = record.Ref{Off: o.b.keeping.number()}
	w.room -= len(value)
	w.put(record.Queues, record.QueueKey(o.s.id, l.ref.Off), value)
}

func (o *outbox) copyFlight(f *flight, w *writing) {
	before := f.ref
	if o.copy(&f.letter, w); f.qos == 2 {
		w.put(record.Inflight, record.InflightKey(o.s.id, before), nil)
		w.put(record.Inflight, record.InflightKey(o.s.id, f.ref), record.Half{ID: f.id}.Append(nil))
	}
}

func (l *letter) record() []byte {
	m := l.m
	r := record.Letter{
		QoS: l.qos, Retain: l.retain, Share: l.to.share, SubIDs: l.to.ids, Extra: record.Extra{Expiry: m.expiry, Origin: m.origin},
		Message: wire.Message{Topic: m.topic, Payload: m.payload, Props: m.props, QoS: m.qos, Retain: m.retain},
	}
	if l.to.share != "" {
		r.At = m.at
	}
	return r.Append(nil)
}

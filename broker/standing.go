package broker

import (
	"cmp"
	"slices"

	"edged/broker/record"
	"edged/broker/wire"
)

// standing is where an outbox stands in the log.
type standing struct {
	mark    record.Ref // the lowest place of a letter that waits, or the low water if that is before it; zero if none waits
	flights []record.Flight
}

// touch has the outbox looked at with the next commit.
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
	if !o.touched && !w.lagging {
		o.hold(w, o.lowest)
		return s, false
	}
	o.touched, o.lowest = false, record.Ref{}
	o.waiting.each(func(l *letter) {
		if o.mustCopy(l, w) {
			o.copy(l, w)
		}
		s.mark = lower(s.mark, l.ref)
	})
	for _, f := range o.flights {
		switch {
		case f.released:
			if f.held { // that PUBREC has come is not durable yet: the next start may have to publish it again
				o.lowest = lower(o.lowest, f.ref)
			}
			continue
		case f.qos == 2 && f.held: // its identifier is not durable yet: it counts as waiting
			s.mark = lower(s.mark, f.ref)
			continue
		case o.mustCopy(&f.letter, w):
			if f.qos == 2 {
				w.put(record.Inflight, record.InflightKey(o.s.id, f.ref), nil)
			}
			o.copy(&f.letter, w)
			if f.qos == 2 {
				w.put(record.Inflight, record.InflightKey(o.s.id, f.ref), record.Half{ID: f.id}.Append(nil))
			}
		}
		if f.qos == 1 {
			s.flights = append(s.flights, record.Flight{ID: f.id, Ref: f.ref})
		}
		o.lowest = lower(o.lowest, f.ref)
	}
	slices.SortFunc(s.flights, func(a, b record.Flight) int { return cmp.Compare(a.ID, b.ID) })
	if s.mark.Seq > 0 { // what is not through the fan-out may be before what waits: messages do not come in the order of the log
		s.mark = lower(s.mark, record.Ref{Seq: w.low})
	}
	o.lowest = lower(o.lowest, s.mark)
	o.hold(w, o.lowest)
	o.endDone(w, s.mark)
	return s, true
}

func lower(a, b record.Ref) record.Ref {
	if b.Seq > 0 && (a.Seq == 0 || b.Before(a)) {
		return b
	}
	return a
}

// hold notes that a place in the log is needed.
func (o *outbox) hold(w *writing, r record.Ref) {
	if r.Seq > 0 {
		w.hold = min(w.hold, r.Seq)
	}
}

// endDone writes down the deliveries with QoS 2 that have ended, and takes back those that the mark has passed.
func (o *outbox) endDone(w *writing, mark record.Ref) {
	mark = lower(record.Ref{Seq: w.low}, mark)
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
		return false
	})
}

// ended2 is a delivery with QoS 2 that has ended.
type ended2 struct {
	ref     record.Ref
	id      uint16
	written bool
}

// mustCopy reports whether a letter needs a form of its own on disk: it has no place in the log; it is one of a shared subscription, and the
// mark of those will pass it; or it holds too much of the log. What has not been through the fan-out cannot be passed.
func (o *outbox) mustCopy(l *letter, w *writing) bool {
	switch {
	case l.ref.Seq == 0:
		return l.ref.Off == 0
	case l.ref.Seq >= w.low:
		return false
	}
	return l.to.share != "" || w.lagging && w.room > 0
}

// copy gives a letter a form of its own.
func (o *outbox) copy(l *letter, w *writing) {
	value := l.record()
	l.ref = record.Ref{Off: o.b.keeping.numbers.Add(1)}
	w.room -= len(value)
	w.put(record.Queues, record.QueueKey(o.s.id, l.ref.Off), value)
}

func (l *letter) record() []byte {
	m := l.m
	r := record.Letter{
		QoS: l.qos, Retain: l.retain, Share: l.to.share, SubIDs: l.to.ids, Extra: record.Extra{Expiry: m.expiry, Origin: m.origin},
		Message: wire.Message{Topic: m.topic, Payload: m.payload, Props: m.props, QoS: m.qos, Retain: m.retain},
	}
	return r.Append(nil)
}

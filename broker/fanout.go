package broker

import (
	"context"
	"sync"

	"edged"
)

// turn is how many deliveries one publisher's messages may make before the next publisher's turn comes.
const turn = 256

// fanout delivers what became durable, on a goroutine of its own: those who commit only put messages into a lane. Each publisher
// has its lane, and the lanes take turns: one whose messages go to a thousand subscribers does not hold up the others. Within
// a lane the order stays, which is all that subscribers are promised [MQTT-4.6.0-6].
//
// What waits is bounded by the intake (intake.Limits).
type fanout struct {
	b *Broker

	mu    sync.Mutex
	ready []*lane // those with something in them, in the order of their turns
	busy  bool
	wake  chan struct{} // has a token if there may be something ready
	empty chan struct{} // closed when nothing is ready; nil if nobody waits
}

// lane holds the messages of one publisher. Its fields are guarded by fanout.mu.
type lane struct {
	waiting []delivery
	ready   bool // it is among those
}

// delivery is a publish that waits for its commit.
type delivery struct {
	b     *Broker
	lane  *lane
	m     *message
	keeps int
}

// perDelivery is what each subscriber of a message counts while it waits, as if it were bytes: so a publisher can have as much work
// waiting as memory, and one whose messages go to thousands is held back before it has queued minutes of them.
const perDelivery = 8

// deliverTo makes the delivery of a message on its route, and says what it keeps.
func (b *Broker) deliverTo(l *lane, m *message, r *route) (d delivery, keeps int) {
	keeps = m.size() + perDelivery*(len(r.subs)+len(r.shared))
	return delivery{b, l, m, keeps}, keeps
}

// Begin implements intake.Delivery.
func (d delivery) Begin(again bool) {
	if again {
		d.m.to = notReaders
	}
	if d.m.kept {
		d.m.ticket = d.b.low.take()
	}
}

// Deliver implements intake.Delivery.
func (d delivery) Deliver(at edged.Pos, whole bool) {
	d.m.at = at
	if !whole {
		d.m.to = readers
	}
	f := &d.b.fanout
	f.mu.Lock()
	d.lane.waiting = append(d.lane.waiting, d)
	if !d.lane.ready {
		d.lane.ready = true
		f.ready = append(f.ready, d.lane)
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Abandon implements intake.Delivery.
func (d delivery) Abandon() { d.settled() }

// settled is called when everybody who gets the message has it, or nobody will.
func (d delivery) settled() {
	if d.m.kept {
		d.b.low.back(d.m.ticket)
	}
}

func (f *fanout) run(ctx context.Context) error {
	for {
		l, batch := f.next()
		if l == nil {
			select {
			case <-f.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		n := 0
		for cost := 0; n < len(batch) && cost < turn; n++ {
			cost += 1 + f.deliver(batch[n].m)
			batch[n].settled()
			f.b.in.Delivered(batch[n].keeps)
			batch[n] = delivery{}
		}
		f.putBack(l, batch[n:])
	}
}

// deliver survives a message that cannot be delivered: the next ones are not to blame.
func (f *fanout) deliver(m *message) (n int) {
	defer func() {
		if v := recover(); v != nil {
			f.b.panicked(m.origin, "", "delivering a message of", v, []byte(m.topic))
		}
	}()
	return f.b.deliver(m)
}

// next takes the lane whose turn it is, with what waits in it; nil if none has anything.
func (f *fanout) next() (l *lane, batch []delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy = len(f.ready) > 0; !f.busy {
		f.ready = nil
		if f.empty != nil {
			close(f.empty)
			f.empty = nil
		}
		return nil, nil
	}
	l, f.ready = f.ready[0], f.ready[1:]
	batch, l.waiting = l.waiting, nil
	return l, batch
}

// putBack returns what was not delivered to the front of its lane, and the lane to the end of the row.
func (f *fanout) putBack(l *lane, left []delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(left) == 0:
	case len(l.waiting) == 0:
		l.waiting = left
	default:
		l.waiting = append(left, l.waiting...)
	}
	if l.ready = len(l.waiting) > 0; l.ready {
		f.ready = append(f.ready, l)
	}
}

// drain waits until everything that waits was delivered, or ctx ends.
func (f *fanout) drain(ctx context.Context) {
	f.mu.Lock()
	if len(f.ready) == 0 && !f.busy {
		f.mu.Unlock()
		return
	}
	if f.empty == nil {
		f.empty = make(chan struct{})
	}
	empty := f.empty
	f.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

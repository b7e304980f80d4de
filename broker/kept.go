package broker

import (
	"edged"
	"edged/broker/record"
	"edged/broker/wire"
)

// begin writes down a new session. It is called with sessions.mu.
func (k *keeping) begin(s *session) {
	s.in.Keep(k, nil)
	s.onDisk.text = s.record(0, standing{})
	puts := []edged.Put{{Space: record.Sessions, Key: s.id, Value: s.onDisk.text}}
	k.store.Submit(&edged.Update{Intake: true, Puts: puts}, false, func(err error) {
		if err != nil { // no room: it comes with the next commit that has some
			k.b.sessions.mu.Lock()
			defer k.b.sessions.mu.Unlock()
			s.onDisk.text = nil
			s.out.touch()
		}
	})
}

// end takes a session off the disk. It is called with sessions.mu.
func (k *keeping) end(s *session) {
	u := &edged.Update{Intake: true, Puts: append(s.out.traces(), edged.Put{Space: record.Sessions, Key: s.id})}
	for filter := range s.subs {
		u.Puts = append(u.Puts, edged.Put{Space: record.Subscriptions, Key: record.SubscriptionKey(s.id, filter)})
	}
	k.store.Submit(u, false, func(error) {}) // if it fails, the next start has the session again, and it expires
}

// traces takes what the outbox has on disk off it.
func (o *outbox) traces() (puts []edged.Put) {
	o.mu.Lock()
	defer o.mu.Unlock()
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

// subscribed makes the subscriptions of a SUBSCRIBE durable, and waits for that. Those that cannot become so are taken back, and refused.
func (k *keeping) subscribed(c *conn, made []*subscription, codes []byte) {
	u := &edged.Update{Intake: true}
	for _, sub := range made {
		if sub == nil {
			continue
		}
		r := record.Subscription{QoS: sub.qos, NoLocal: sub.noLocal, RetainAsPublished: sub.retainAsPublished, NoRetained: sub.noRetained, ID: sub.id, Born: sub.place}
		u.Puts = append(u.Puts, edged.Put{Space: record.Subscriptions, Key: record.SubscriptionKey(c.session.id, sub.filter), Value: r.Append(nil)})
	}
	if k.commit(c, u) {
		return
	}
	for i, sub := range made {
		if sub == nil {
			continue
		}
		k.b.sessions.remove(c.session, sub.filter)
		if made[i], codes[i] = nil, wire.QuotaExceeded; !c.v5() {
			codes[i] = wire.Unspecified
		}
	}
}

// unsubscribed waits until it is durable that subscriptions are gone.
func (k *keeping) unsubscribed(c *conn, filters []string) {
	u := &edged.Update{Intake: true}
	for _, filter := range filters {
		u.Puts = append(u.Puts, edged.Put{Space: record.Subscriptions, Key: record.SubscriptionKey(c.session.id, filter)})
	}
	k.commit(c, u)
}

// commit waits until an update is durable; false if it cannot be. While the client waits for it nothing else of it is read.
func (k *keeping) commit(c *conn, u *edged.Update) bool {
	if len(u.Puts) == 0 {
		return true
	}
	done := make(chan error, 1)
	k.store.Submit(u, false, func(err error) { done <- err })
	k.store.Waiting()
	select {
	case err := <-done:
		return err == nil
	case <-c.done:
		return true // nobody waits for the answer any more
	}
}

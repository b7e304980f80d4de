package broker

import (
	"time"

	"edged"
	"edged/broker/record"
	"edged/broker/wire"
)

// begin has a new session written: with the next commit, and so before anything that its client brings or asks for is durable. It is
// called with sessions.mu.
func (k *keeping) begin(s *session) {
	s.in.Keep(k, nil)
	k.soon.Store(true)
}

// end takes a session off the disk, whose outbox has left these traces there. It is called with sessions.mu.
func (k *keeping) end(s *session, traces []edged.Put) {
	k.put(record.Sessions, s.id, nil)
	k.soon.Store(true) // no later than its subscriptions: the client must not be told that it has a session without any
	for filter := range s.subs {
		traces = append(traces, edged.Put{Space: record.Subscriptions, Key: record.SubscriptionKey(s.id, filter)})
	}
	k.erase(traces)
}

// unused leaves out what a session has made anew since it was to be erased. It is called with mu.
func (ss *sessions) unused(puts []edged.Put) (out []edged.Put) {
	for _, p := range puts {
		client, filter, _ := record.Split(p.Key)
		if s := ss.byID[client]; p.Space == record.Subscriptions && s != nil && s.subs[filter] != nil {
			continue
		}
		out = append(out, p)
	}
	return out
}

// subscribed makes the subscriptions of a SUBSCRIBE durable, and waits for that. Those that cannot become so are refused, and what they
// have replaced is in force again.
func (k *keeping) subscribed(c *conn, made, before []*subscription, codes []byte) {
	var puts []edged.Put
	for _, sub := range made {
		if sub != nil {
			puts = append(puts, sub.put())
		}
	}
	if k.commit(c, &edged.Update{Intake: true, Puts: puts}) {
		return
	}
	for i := len(made) - 1; i >= 0; i-- { // the same filter can be there twice
		if made[i] == nil {
			continue
		}
		k.b.sessions.takeBack(made[i], before[i])
		if made[i], codes[i] = nil, wire.QuotaExceeded; !c.v5() {
			codes[i] = wire.Unspecified
		}
	}
}

// unsubscribed waits until it is durable that subscriptions, which there were, are gone, or the connection ends. It needs no room: the
// store refuses it only when it is about to end.
func (k *keeping) unsubscribed(c *conn, filters []string) {
	var puts []edged.Put
	for _, filter := range filters {
		puts = append(puts, edged.Put{Space: record.Subscriptions, Key: record.SubscriptionKey(c.session.id, filter)})
	}
	for !k.commit(c, &edged.Update{Puts: puts}) {
		select {
		case <-time.After(k.pause):
		case <-c.done:
			return
		}
	}
}

// commit waits until an update of puts is durable; false if it cannot be. While the client waits for it nothing else of it is read. If its session
// has ended, it is off the disk, and nothing is put there.
func (k *keeping) commit(c *conn, u *edged.Update) bool {
	if len(u.Puts) == 0 {
		return true
	}
	done := make(chan error, 1)
	ss := &k.b.sessions
	ss.mu.Lock()
	if ss.byID[c.session.id] != c.session {
		ss.mu.Unlock()
		return true
	}
	k.submit(u, func(err error) { done <- err })
	ss.mu.Unlock()
	k.store.Waiting()
	select {
	case err := <-done:
		return err == nil
	case <-c.done:
		return true // nobody waits for the answer any more
	}
}

package broker

import (
	"strings"

	"edged/broker/index"
	"edged/broker/wire"
	"edged/internal/topic"
)

// Bounds of the memory of subscriptions: what one costs besides its filter, by levels of the index, and what all cost together.
const (
	levelSize      = 700
	maxFilterBytes = 16 << 20
	fewFilterBytes = 4 << 10
)

// subscribe handles a SUBSCRIBE: SUBACK, and then the retained messages.
func (c *conn) subscribe(f wire.Frame) error {
	p, err := wire.DecodeSubscribe(f.Body, c.v5())
	if err != nil {
		return err
	}
	for _, f := range p.Filters {
		if f.NoLocal && strings.HasPrefix(f.Name, share) {
			return &wire.Error{Code: wire.ProtocolError, Why: "a shared subscription with No Local [MQTT-3.8.3-4]"}
		}
	}
	if err := c.takes(len(p.Filters)); err != nil {
		return err
	}
	codes := make([]byte, len(p.Filters))
	made := make([]*subscription, len(p.Filters))
	before := make([]*subscription, len(p.Filters)) // in whose place they are
	for i := range p.Filters {
		f := &p.Filters[i]
		if codes[i] = wire.QuotaExceeded; i < c.b.cfg.MaxSubscriptions && !c.closed() {
			codes[i] = c.mayHave(f.Name)
		}
		if codes[i] == wire.Success {
			sub := &subscription{s: c.session, filter: f.Name, qos: f.QoS, noLocal: f.NoLocal, retainAsPublished: f.RetainAsPublished, id: p.SubID, noRetained: f.RetainHandling == 2}
			made[i] = sub
			codes[i], before[i] = c.b.sessions.add(sub)
		}
		if codes[i] >= wire.Unspecified {
			made[i] = nil
			if !c.v5() {
				codes[i] = wire.Unspecified
			}
		}
	}
	if c.session.kept {
		c.b.keeping.subscribed(c, made, before, codes)
	}
	var owed []letter // found before SUBACK: what is published after it comes once, and not as retained
	for i, sub := range made {
		handling := p.Filters[i].RetainHandling
		if sub == nil || handling == 2 || handling == 1 && before[i] != nil || c.closed() { // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
			continue
		}
		if c.b.sessions.has(sub) { // else the packet has its filter twice
			owed = c.retainedFor(sub, owed)
		}
	}
	c.put(func(b []byte) []byte { return wire.AppendSuback(b, wire.SUBACK, c.v5(), p.ID, codes) })
	for _, l := range owed {
		if err := c.sendRetained(l); err != nil {
			return err
		}
	}
	return nil
}

// takes checks that the client takes an answer with n codes [MQTT-3.1.2-24].
func (c *conn) takes(n int) error {
	if n+10 > c.maxPacket {
		return &wire.Error{Code: wire.PacketTooLarge, Why: "more filters in a packet than its own Maximum Packet Size lets it be answered"}
	}
	return nil
}

// sendRetained sends a retained message. It waits for a client that reads what it gets: this is its own reading goroutine, and
// nobody else waits for it.
func (c *conn) sendRetained(l letter) error {
	for l.qos == 0 && c.backlogOver() {
		if err := c.waitForWriter(); err != nil {
			return err
		}
	}
	c.session.addUrgently(l)
	return nil
}

// share begins the filter of a shared subscription: $share/GROUP/FILTER (MQTT 5, 4.8.2).
const share = "$share/"

// plain is a valid filter without the share that it may be in.
func plain(filter string) string {
	if rest, ok := strings.CutPrefix(filter, share); ok {
		_, filter, _ = strings.Cut(rest, "/")
	}
	return filter
}

// mayHave returns the reason code with which a filter is refused, or 0.
func (c *conn) mayHave(filter string) byte {
	plain := filter
	if rest, ok := strings.CutPrefix(filter, share); ok {
		group, under, ok := strings.Cut(rest, "/")
		if !ok || group == "" || strings.ContainsAny(group, "+#") { // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
			return wire.BadFilter
		}
		plain = under
	}
	switch cfg := c.b.cfg; {
	case plain == filter && index.Reserved(filter), index.Reserved(plain), len(filter) > cfg.MaxTopicLength+len(share)+maxClientID, len(plain) > cfg.MaxTopicLength,
		strings.Count(plain, "/") >= cfg.MaxTopicLevels, topic.CheckFilter(plain) != nil:
		return wire.BadFilter
	case !c.session.profile.Load().MaySubscribe(plain):
		c.b.met.denied.Inc()
		c.b.seldom.Warn("denied", "broker: a subscription was refused: acl_file does not let the client read anything of it", "client", c.session.id, "user", c.user, "filter", filter)
		return wire.NotAuthorized
	}
	return wire.Success
}

// add makes a subscription, in the place of one with the same filter, which it returns. The code is the QoS that it has, or why it was
// refused. The subscriber gets messages from then on.
func (ss *sessions) add(sub *subscription) (code byte, before *subscription) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := sub.s
	if s.conn == nil || s.conn.session != s || ss.byID[s.id] != s {
		return wire.Unspecified, nil // its session has ended
	}
	old := s.subs[sub.filter]
	if old == nil && (len(s.subs) >= ss.b.cfg.MaxSubscriptions || ss.greedy(s, costOf(sub))) {
		ss.b.met.tooManySubs.Inc()
		ss.b.seldom.Warn("max_subscriptions", "broker: a subscription was refused, because the client has max_subscriptions already, or all clients together need too much memory for theirs",
			"client", s.id, "max_subscriptions", ss.b.cfg.MaxSubscriptions)
		return wire.QuotaExceeded, nil
	}
	if sub.born = ss.b.routes.changes.Load() + 1; s.kept {
		sub.place = ss.b.keeping.store.End()
	}
	sub.follows(old)
	ss.put(sub)
	return sub.qos, old
}

// takeBack ends a subscription that could not be kept, and puts the one before into its place again.
func (ss *sessions) takeBack(sub, before *subscription) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	switch {
	case sub.s.subs[sub.filter] != sub:
	case before != nil:
		ss.put(before)
	default:
		ss.drop(sub)
	}
}

// put puts a subscription into force, in the place of one with the same filter. It is called with mu.
func (ss *sessions) put(sub *subscription) {
	s := sub.s
	old := s.subs[sub.filter]
	if sub.number == 0 {
		ss.made++
		sub.number = ss.made
	}
	sub.grant = grantOf(sub)
	sub.key = ss.b.routes.subs.Add(sub.filter, sub)
	if old != nil {
		ss.drop(old)
	}
	s.subs[sub.filter] = sub
	ss.filterBytes += costOf(sub)
	s.filterBytes += costOf(sub)
	ss.subs++
	if strings.HasPrefix(sub.filter, share) {
		ss.shared++
	}
	ss.b.routes.changed()
}

// greedy reports whether a session may not have n bytes more of subscriptions. When all of them need too much, those that have less
// than their share may go on: a few greedy ones take nothing from the others.
func (ss *sessions) greedy(s *session, n int) bool {
	return ss.filterBytes+n > maxFilterBytes && s.filterBytes+n > max(fewFilterBytes, maxFilterBytes/len(ss.byID))
}

// has reports whether a subscription is in force.
func (ss *sessions) has(sub *subscription) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return sub.s.subs[sub.filter] == sub
}

// drop takes a subscription away. It is called with mu.
func (ss *sessions) drop(sub *subscription) {
	ss.b.routes.subs.Remove(sub.filter, sub.key)
	ss.b.routes.changed()
	ss.filterBytes -= costOf(sub)
	sub.s.filterBytes -= costOf(sub)
	ss.subs--
	if strings.HasPrefix(sub.filter, share) {
		ss.shared--
	}
	delete(sub.s.subs, sub.filter)
}

func costOf(sub *subscription) int {
	return 2*len(sub.filter) + levelSize*(1+strings.Count(sub.filter, "/"))
}

// unsubscribe handles an UNSUBSCRIBE.
func (c *conn) unsubscribe(f wire.Frame) error {
	id, filters, err := wire.DecodeUnsubscribe(f.Body, c.v5())
	if err != nil {
		return err
	}
	if err := c.takes(len(filters)); err != nil && c.v5() {
		return err
	}
	var codes []byte
	var gone []string
	for _, filter := range filters {
		code := c.b.sessions.remove(c.session, filter)
		if code == wire.Success {
			gone = append(gone, filter)
		}
		if c.v5() {
			codes = append(codes, code)
		}
	}
	if c.session.kept {
		c.b.keeping.unsubscribed(c, gone)
	}
	c.put(func(b []byte) []byte { return wire.AppendSuback(b, wire.UNSUBACK, c.v5(), id, codes) })
	return nil
}

func (ss *sessions) remove(s *session, filter string) (code byte) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	sub := s.subs[filter]
	if sub == nil {
		return wire.NoSubscription
	}
	ss.drop(sub)
	return wire.Success
}

// retainedFor appends the retained messages that match a new subscription. No more are kept than a subscriber's queue can hold:
// whoever asks for everything a thousand times over gets it once.
func (c *conn) retainedFor(sub *subscription, owed []letter) []letter {
	if strings.HasPrefix(sub.filter, share) {
		return owed
	}
	profile := c.session.profile.Load()
	for _, m := range c.b.retained.match(sub.filter, sub.born) {
		switch {
		case sub.noLocal && m.origin == c.session.id, !profile.MayRead(m.topic):
		case len(owed) >= max(c.b.cfg.MaxRetained, c.b.cfg.MaxQueuedMessages):
			c.b.met.queueFull.Inc()
			c.session.lost.Add(1)
		default:
			owed = append(owed, letter{m: m, to: sub.grant, qos: min(m.qos, sub.qos), retain: true}) // [MQTT-3.3.1-8]
		}
	}
	return owed
}

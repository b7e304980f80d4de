package broker

import "github.com/VictoriaMetrics/metrics"

// Status is what the status page shows of the broker. Counts are since the start of edged.
type Status struct {
	Clients       int    `json:"clients"`        // connected
	Sessions      int    `json:"sessions"`       // kept for clients that are away
	Received      uint64 `json:"received"`       // messages offered by clients and by the gateway itself, repeats included
	AcksPending   int64  `json:"acks_pending"`   // taken, and not acknowledged yet
	Duplicates    uint64 `json:"duplicates"`     // repeats that were known and not stored again
	Refused       uint64 `json:"refused"`        // not acknowledged, or acknowledged with an error; the publisher knows
	Dropped       uint64 `json:"dropped"`        // QoS 0 and wills that a receiver could not take
	NotDelivered  uint64 `json:"not_delivered"`  // messages that a subscriber did not get: too slow, or its queue was full
	Sent          uint64 `json:"sent"`           // messages delivered to subscribers
	Subscriptions int    `json:"subscriptions"`  // of clients, connected or away
	Retained      int    `json:"retained"`       // messages
	NotRetained   uint64 `json:"not_retained"`   // because there were max_retained, or max_retained_bytes
	Takeovers     uint64 `json:"takeovers"`      // connections ended because their client connected again
	Connections   uint64 `json:"connections"`    // accepted
	ConnsRefused  uint64 `json:"conns_refused"`  // because there were max_connections
	SessionsEnded uint64 `json:"sessions_ended"` // expired, or ended before their time to make room
}

// Status returns the present figures.
func (b *Broker) Status() Status {
	m := b.met
	s := Status{
		Received: b.in.Received(), AcksPending: b.in.Pending(), Duplicates: b.in.Duplicates(),
		Refused: b.in.Refused() + m.badTopic.Get() + m.tooLong.Get(), Dropped: b.in.Dropped(),
		NotDelivered: m.queueFull.Get() + m.congested.Get() + m.tooLarge.Get() + m.tapDropped.Get(), Sent: m.sent.Get(),
		Retained: b.retained.count(), NotRetained: m.retainedFull.Get(),
		Takeovers: m.takeovers.Get(), Connections: m.conns.Get(), ConnsRefused: m.refusedConns.Get(),
		SessionsEnded: m.expired.Get() + m.evicted.Get(),
	}
	s.Clients, s.Sessions = b.sessions.count()
	for _, cl := range b.srv.Clients.GetAll() {
		s.Subscriptions += cl.State.Subscriptions.Len() // the library's own count drifts
	}
	return s
}

// meters are the counters of the room; those of the intake are its own.
type meters struct {
	conns, refusedConns, takeovers, panics *metrics.Counter
	expired, evicted                       *metrics.Counter
	sent, queueFull, congested, tooLarge   *metrics.Counter
	badTopic, retainedFull, badRetained    *metrics.Counter
	tapDropped, tooManySubs, tooLong       *metrics.Counter
}

func newMeters(b *Broker, set *metrics.Set) *meters {
	c := set.GetOrCreateCounter
	set.GetOrCreateGauge(`edged_broker_clients`, func() float64 { n, _ := b.sessions.count(); return float64(n) })
	set.GetOrCreateGauge(`edged_broker_sessions_away`, func() float64 { _, n := b.sessions.count(); return float64(n) })
	set.GetOrCreateGauge(`edged_broker_acks_pending`, func() float64 { return float64(b.in.Pending()) })
	set.GetOrCreateGauge(`edged_broker_retained`, func() float64 { return float64(b.retained.count()) })
	return &meters{
		conns:        c(`edged_broker_connections_total`),
		refusedConns: c(`edged_broker_connections_refused_total`),
		takeovers:    c(`edged_broker_takeovers_total`),
		panics:       c(`edged_broker_panics_total`),
		expired:      c(`edged_broker_sessions_ended_total{reason="expired"}`),
		evicted:      c(`edged_broker_sessions_ended_total{reason="evicted"}`),
		sent:         c(`edged_broker_delivered_total`),
		queueFull:    c(`edged_broker_not_delivered_total{reason="queue_full"}`),
		congested:    c(`edged_broker_not_delivered_total{reason="slow"}`),
		tooLarge:     c(`edged_broker_not_delivered_total{reason="too_large"}`),
		tapDropped:   c(`edged_broker_not_delivered_total{reason="tap_slow"}`),
		badTopic:     c(`edged_broker_refused_total{reason="topic"}`),
		tooLong:      c(`edged_broker_refused_total{reason="too_large"}`),
		tooManySubs:  c(`edged_broker_subscriptions_refused_total`),
		retainedFull: c(`edged_broker_not_retained_total`),
		badRetained:  c(`edged_broker_retained_unreadable_total`),
	}
}

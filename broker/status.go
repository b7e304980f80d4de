package broker

import "github.com/VictoriaMetrics/metrics"

// Status is what the status page shows of the broker. Counts are since the start of edged.
type Status struct {
	Clients       int    `json:"clients"`       // connected
	Sessions      int    `json:"sessions"`      // kept for clients that are away
	Received      uint64 `json:"received"`      // messages offered by clients and by the gateway itself, repeats included
	AcksPending   int64  `json:"acks_pending"`  // taken, and not acknowledged yet
	Duplicates    uint64 `json:"duplicates"`    // repeats that were known and not stored again
	Refused       uint64 `json:"refused"`       // not acknowledged, or acknowledged with an error; the publisher knows
	Dropped       uint64 `json:"dropped"`       // QoS 0 and wills that a receiver could not take
	NotDelivered  uint64 `json:"not_delivered"` // messages that a subscriber did not get: too slow, or its queue was full
	Sent          uint64 `json:"sent"`          // messages delivered to subscribers
	Subscriptions int    `json:"subscriptions"` // of clients, connected or away
	Shared        int    `json:"shared"`        // those of them that are shared
	Retained      int    `json:"retained"`      // messages
	RetainedBytes int64  `json:"retained_bytes"`
	NotRetained   uint64 `json:"not_retained"`   // because there were max_retained, or max_retained_bytes
	Takeovers     uint64 `json:"takeovers"`      // connections ended because their client connected again
	Connections   uint64 `json:"connections"`    // accepted
	ConnsRefused  uint64 `json:"conns_refused"`  // because there were max_connections
	SessionsEnded uint64 `json:"sessions_ended"` // expired, or ended before their time to make room
	MostClients   int    `json:"most_clients"`   // connected at the same time
	FailedLogins  uint64 `json:"failed_logins"`
	Denied        uint64 `json:"denied"`    // publishes, subscriptions and wills that acl_file does not allow
	Malformed     uint64 `json:"malformed"` // connections ended because what they sent breaks a rule of MQTT

	BytesReceived   uint64 `json:"bytes_received"` // of packets
	BytesSent       uint64 `json:"bytes_sent"`
	PayloadReceived uint64 `json:"payload_received"` // bytes of publishes
}

// Status returns the present figures.
func (b *Broker) Status() Status {
	m := b.met
	s := Status{
		Received: b.in.Received(), AcksPending: b.in.Pending(), Duplicates: b.in.Duplicates(),
		Refused: b.in.Refused() + m.badTopic.Get() + m.denied.Get() + m.tooLong.Get(), Dropped: b.in.Dropped(),
		NotDelivered: m.queueFull.Get() + m.congested.Get() + m.tooLarge.Get() + m.tapDropped.Get(), Sent: m.delivered.Get(),
		NotRetained: m.retainedFull.Get(), Takeovers: m.takeovers.Get(), Connections: m.conns.Get(), ConnsRefused: m.refusedConns.Get(),
		SessionsEnded: m.expired.Get() + m.evicted.Get(), FailedLogins: m.badLogin.Get(), Denied: m.denied.Get(), Malformed: m.malformed.Get(),
		BytesReceived: m.bytesIn.Get(), BytesSent: m.bytesOut.Get(), PayloadReceived: m.publishBytes.Get(),
	}
	s.Retained, s.RetainedBytes = b.retained.count()
	ss := &b.sessions
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s.Clients, s.Sessions, s.MostClients = ss.connected, len(ss.byID)-ss.connected, ss.most
	s.Subscriptions, s.Shared = ss.subs, ss.shared
	return s
}

// meters are the counters of the room; those of the intake are its own.
type meters struct {
	conns, refusedConns, takeovers, panics *metrics.Counter
	expired, evicted                       *metrics.Counter
	delivered, queueFull, congested        *metrics.Counter
	tooLarge, tapDropped                   *metrics.Counter
	badTopic, tooLong, denied, tooManySubs *metrics.Counter
	retainedFull, badRetained, badSessions *metrics.Counter
	handshakes, badLogin, malformed        *metrics.Counter
	silent, slowed, flapping, deaf         *metrics.Counter
	bytesIn, bytesOut, publishBytes        *metrics.Counter
}

func newMeters(b *Broker, set *metrics.Set) *meters {
	c := set.GetOrCreateCounter
	set.GetOrCreateGauge(`edged_broker_clients`, func() float64 { n, _ := b.sessions.count(); return float64(n) })
	set.GetOrCreateGauge(`edged_broker_sessions_away`, func() float64 { _, n := b.sessions.count(); return float64(n) })
	set.GetOrCreateGauge(`edged_broker_write_backlog_bytes`, func() float64 { return float64(b.backlogs.Load()) })
	set.GetOrCreateGauge(`edged_broker_queued_bytes`, func() float64 { return float64(b.queued.Load()) })
	set.GetOrCreateGauge(`edged_broker_acks_pending`, func() float64 { return float64(b.in.Pending()) })
	set.GetOrCreateGauge(`edged_broker_retained`, func() float64 { n, _ := b.retained.count(); return float64(n) })
	return &meters{
		conns:        c(`edged_broker_connections_total`),
		refusedConns: c(`edged_broker_connections_refused_total`),
		takeovers:    c(`edged_broker_takeovers_total`),
		panics:       c(`edged_broker_panics_total`),
		expired:      c(`edged_broker_sessions_ended_total{reason="expired"}`),
		evicted:      c(`edged_broker_sessions_ended_total{reason="evicted"}`),
		delivered:    c(`edged_broker_delivered_total`),
		queueFull:    c(`edged_broker_not_delivered_total{reason="queue_full"}`),
		congested:    c(`edged_broker_not_delivered_total{reason="slow"}`),
		tooLarge:     c(`edged_broker_not_delivered_total{reason="too_large"}`),
		tapDropped:   c(`edged_broker_not_delivered_total{reason="tap_slow"}`),
		badTopic:     c(`edged_broker_refused_total{reason="topic"}`),
		tooLong:      c(`edged_broker_refused_total{reason="too_large"}`),
		tooManySubs:  c(`edged_broker_subscriptions_refused_total`),
		retainedFull: c(`edged_broker_not_retained_total`),
		badRetained:  c(`edged_broker_retained_unreadable_total`),
		badSessions:  c(`edged_broker_sessions_unreadable_total`),
		denied:       c(`edged_broker_refused_total{reason="acl"}`),
		handshakes:   c(`edged_broker_handshakes_failed_total`),
		badLogin:     c(`edged_broker_logins_failed_total`),
		malformed:    c(`edged_broker_connections_ended_total{reason="malformed"}`),
		silent:       c(`edged_broker_connections_ended_total{reason="keepalive"}`),
		deaf:         c(`edged_broker_connections_ended_total{reason="unread"}`),
		slowed:       c(`edged_broker_publishes_slowed_total`),
		flapping:     c(`edged_broker_takeovers_flapping_total`),
		bytesIn:      c(`edged_broker_bytes_received_total`),
		bytesOut:     c(`edged_broker_bytes_sent_total`),
		publishBytes: c(`edged_broker_payload_bytes_received_total`),
	}
}

package broker

import "time"

// Two devices with the same client identifier end each other's connection, again and again. That is said by name when it has
// happened flapping times within flappingTime.
const (
	flapping     = 3
	flappingTime = time.Minute
)

// takeovers counts how often a client's connection was ended by another one with its identifier.
type takeovers struct {
	n      uint64
	recent int
	since  time.Time
	last   [2]string // addresses: of the one that had the session, and of the one that took it
}

// note is called when c takes the session from the connection that has it. sessions.mu is held.
func (t *takeovers) note(b *Broker, s *session, c *conn) {
	t.n++
	t.last = [2]string{s.conn.from, c.from}
	if now := time.Now(); now.Sub(t.since) > flappingTime {
		t.since, t.recent = now, 0
	}
	if t.recent++; t.recent >= flapping {
		b.met.flapping.Inc()
		b.seldom.Warn("takeovers", "broker: two clients use the same client identifier and end each other's connection again and again; give each its own",
			"client", s.id, "one", t.last[0], "other", t.last[1])
	}
}

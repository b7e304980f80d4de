package broker

import (
	"cmp"
	"slices"
	"time"
)

// Client is what is shown of one client, connected or away.
type Client struct {
	ID            string    `json:"id"`
	User          string    `json:"user,omitempty"` // verified; "" is anonymous
	Connected     bool      `json:"connected"`
	Since         time.Time `json:"since"`             // connected, or away
	Address       string    `json:"address,omitempty"` // if it is connected
	Version       string    `json:"version,omitempty"` // of MQTT: 3.1.1 or 5
	Keepalive     int       `json:"keepalive"`         // seconds that it may be silent; 0 is for ever
	Received      uint64    `json:"received"`          // publishes from it, on this connection
	Sent          uint64    `json:"sent"`              // messages to it, on this connection
	ReceivedRate  float64   `json:"received_rate"`     // a second, on the average of the last ten seconds or so
	SentRate      float64   `json:"sent_rate"`
	Dropped       uint64    `json:"dropped"` // messages that it did not get, in the life of its session
	Queued        int       `json:"queued"`  // messages that wait for it
	Unacked       int       `json:"unacked"` // messages that it has not acknowledged
	Subscriptions int       `json:"subscriptions"`
	Takeovers     uint64    `json:"takeovers"`          // times that another connection with its identifier ended one
	Rivals        []string  `json:"rivals,omitempty"`   // the addresses of the last two that did
	Persistent    bool      `json:"persistent"`         // its session outlives its connection
	KeptFor       string    `json:"kept_for,omitempty"` // how long
}

// Clients lists the sessions, connected ones first, by client identifier.
func (b *Broker) Clients() []Client {
	var out []Client
	b.sessions.each(func(s *session) { out = append(out, s.client()) })
	slices.SortFunc(out, func(x, y Client) int {
		if x.Connected != y.Connected {
			if x.Connected {
				return -1
			}
			return 1
		}
		return cmp.Compare(x.ID, y.ID)
	})
	return out
}

// client is called with sessions.mu.
func (s *session) client() Client {
	out := Client{
		ID: s.id, User: s.user, Since: s.away, Dropped: s.lost.Load(), Subscriptions: len(s.subs), Takeovers: s.takeovers.n, Persistent: s.keep > 0,
	}
	if s.takeovers.n > 0 {
		out.Rivals = s.takeovers.last[:]
	}
	if s.keep > 0 {
		out.KeptFor = s.keep.String()
	}
	out.Queued, out.Unacked = s.out.count()
	if c := s.conn; c != nil {
		out.Connected, out.Since, out.Address, out.Version = true, c.since, c.from, "3.1.1"
		if c.v5() {
			out.Version = "5"
		}
		out.Keepalive = int(c.granted)
		out.Received, out.Sent = c.received.Load(), c.sentCount()
		out.ReceivedRate, out.SentRate = s.rates.received, s.rates.sent
	}
	return out
}

// count returns how many messages wait, and how many were sent and are not acknowledged.
func (o *outbox) count() (queued, unacked int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting.len(), len(o.flights)
}

func (c *conn) sentCount() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// rates are how many messages a client sends and gets a second, lately. Under sessions.mu.
type rates struct {
	c              *conn
	at             time.Time
	lastIn         uint64
	lastOut        uint64
	received, sent float64
}

// ratesOver is the time over which rates are averaged.
const ratesOver = 10 * time.Second

// note is called about once a second.
func (r *rates) note(c *conn, now time.Time) {
	in, out := c.received.Load(), c.sentCount()
	if r.c != c {
		*r = rates{c: c, at: c.since}
	}
	d := now.Sub(r.at).Seconds()
	if d <= 0 {
		return
	}
	part := min(1, d/ratesOver.Seconds())
	r.received += part * (float64(in-r.lastIn)/d - r.received)
	r.sent += part * (float64(out-r.lastOut)/d - r.sent)
	r.at, r.lastIn, r.lastOut = now, in, out
}

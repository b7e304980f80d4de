package broker

import (
	"sync"
	"time"

	"edged/broker/intake"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// session is one MQTT session: what outlives a connection. Its subscriptions are the library's. All of it is in memory and
// does not survive a restart of edged: a message that waits only for a subscriber is acknowledged to its publisher before
// it is on disk.
type session struct {
	id  string
	in  *intake.Session
	out outbox

	// under sessions.mu
	cl   *mqtt.Client  // the library's object for it
	conn *conn         // nil while the client is away
	keep time.Duration // how long it outlives its connection; 0: not at all
	asks bool          // MQTT 5: the client asked for it to outlive the connection
	away time.Time     // since when, if conn is nil
	late *lateWill     // its delayed will, while it waits
}

// sessions owns the beginning and end of every session. The library would do it as well, and get it wrong: when a client
// comes back while its old connection ends, the old one's clean-up can remove the new one from the library's map, and
// messages queued in that moment are lost. So the library is told that sessions never end and has no queues, and
// everything that adds or removes a session happens under mu, from OnSessionEstablish to OnSessionEstablished in one
// piece. Nothing blocks under it.
type sessions struct {
	b *Broker

	mu   sync.Mutex
	byID map[string]*session
}

// never is the expiry that the library is given: 136 years.
const never = 1<<32 - 1

// begin gives a connection its session, new or taken over. It is called before the library looks for one, and leaves mu
// locked for established or end.
func (ss *sessions) begin(c *conn, cl *mqtt.Client, pk packets.Packet) {
	ss.mu.Lock()
	c.establishing = true
	s := ss.byID[cl.ID]
	if s != nil && s.conn != nil {
		ss.b.met.takeovers.Inc()
	}
	if s != nil && (pk.Connect.Clean || s.keep == 0) {
		ss.discard(s, packets.ErrSessionTakenOver)
		s = nil
	}
	if s == nil {
		ss.makeRoom()
		s = &session{id: cl.ID, in: ss.b.in.NewSession(cl.ID), out: outbox{b: ss.b}}
		ss.byID[s.id] = s
	} else {
		s.late.cancel() // [MQTT-3.1.3-9]
		s.late = nil
		s.out.detach()
	}
	s.cl, s.conn = cl, c
	ss.lifetime(s, c, cl, pk)
	c.session = s
	link := s.in.Connect(c, c.v5(), c.patience)
	c.mu.Lock()
	c.link = link
	c.mu.Unlock()
}

// lifetime settles how long the session is kept [MQTT-3.1.2-11], and hides it from the library.
func (ss *sessions) lifetime(s *session, c *conn, cl *mqtt.Client, pk packets.Packet) {
	limit := ss.b.cfg.SessionExpiry.D()
	s.keep, s.asks = 0, false
	switch {
	case c.v5():
		asked := time.Duration(pk.Properties.SessionExpiryInterval) * time.Second
		s.keep, s.asks, c.capped = min(asked, limit), asked > 0, asked > limit
	case !pk.Connect.Clean:
		s.keep = limit
	}
	cl.Properties.Clean = false
	cl.Properties.Props.SessionExpiryInterval, cl.Properties.Props.SessionExpiryIntervalFlag = never, false
}

// established is called when the client has its CONNACK: it gets what was queued for it.
func (ss *sessions) established(c *conn, cl *mqtt.Client) {
	c.session.out.attach(c, cl, c.receiveMax)
	c.establishing = false
	ss.mu.Unlock()
}

// end is called when a connection has ended, perhaps more than once.
func (ss *sessions) end(c *conn) {
	if !c.establishing {
		ss.mu.Lock()
	}
	defer ss.mu.Unlock()
	c.establishing = false
	s := c.session
	if s == nil || s.conn != c {
		return // it never had one, or another connection has it
	}
	c.link.Close()
	s.out.detach()
	s.conn, s.away = nil, time.Now()
	if s.keep == 0 {
		ss.discard(s, packets.CodeDisconnect)
	}
}

// discard ends a session: nothing of it is left in the library. What was taken from it is still stored and delivered.
func (ss *sessions) discard(s *session, why packets.Code) {
	if s.conn != nil {
		_ = ss.b.srv.DisconnectClient(s.cl, why)
	}
	ss.b.srv.UnsubscribeClient(s.cl)
	ss.b.srv.Clients.Delete(s.id)
	s.out.detach()
	s.in.End()
	s.conn = nil // its goroutine has no part in the id any more
	delete(ss.byID, s.id)
	s.late.now()
	s.late = nil
}

// extend changes the lifetime as a DISCONNECT asks [MQTT-3.14.2-2]; false if it may not.
func (ss *sessions) extend(s *session, seconds uint32) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if seconds > 0 && !s.asks {
		return false
	}
	s.keep = min(time.Duration(seconds)*time.Second, ss.b.cfg.SessionExpiry.D())
	return true
}

// sweep ends the sessions that were away for too long.
func (ss *sessions) sweep(now time.Time) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, s := range ss.byID {
		if s.conn == nil && now.Sub(s.away) >= s.keep {
			ss.b.met.expired.Inc()
			ss.discard(s, packets.CodeDisconnect)
		}
	}
}

// makeRoom ends the session that is away longest when there are too many.
func (ss *sessions) makeRoom() {
	if len(ss.byID) < 2*ss.b.cfg.MaxConnections {
		return
	}
	var oldest *session
	for _, s := range ss.byID {
		if s.conn == nil && (oldest == nil || s.away.Before(oldest.away)) {
			oldest = s
		}
	}
	if oldest != nil {
		ss.b.met.evicted.Inc()
		ss.b.seldom.Warn("evicted", "broker: a session was ended before its time: too many clients have left sessions behind; raise max_connections, or shorten session_expiry",
			"client", oldest.id, "away_since", oldest.away)
		ss.discard(oldest, packets.CodeDisconnect)
	}
}

// full reports whether max_connections other clients are connected: one that comes back takes its own place. A few more
// can slip in at the same moment; how many connections there are at all is bounded by conns.
func (ss *sessions) full(id string) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	connected := 0
	for _, s := range ss.byID {
		if s.conn != nil && s.id != id {
			connected++
		}
	}
	return connected >= ss.b.cfg.MaxConnections
}

func (ss *sessions) get(id string) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.byID[id]
}

// count returns the sessions with and without a connection.
func (ss *sessions) count() (connected, away int) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, s := range ss.byID {
		if s.conn != nil {
			connected++
		} else {
			away++
		}
	}
	return connected, away
}

package broker

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"edged/broker/acl"
	"edged/broker/intake"
	"edged/broker/wire"
)

// session is one MQTT session: what outlives a connection. One that is kept also outlives edged (keeping).
type session struct {
	id      string
	user    string // "": anonymous
	in      *intake.Session
	lane    lane // of its publishes
	kept    bool // it is on disk, with what waits for it
	out     outbox
	profile atomic.Pointer[acl.Profile] // what acl_file says of it
	lost    atomic.Uint64               // deliveries that it did not get

	// under sessions.mu
	conn        *conn         // nil while the client is away
	keep        time.Duration // how long it outlives its connection; 0: not at all
	asks        bool          // MQTT 5: the client asked for it to outlive the connection
	away        time.Time     // since when, if conn is nil
	late        *lateWill     // its delayed will, while it waits
	subs        map[string]*subscription
	filterBytes int // of them
	takeovers   takeovers
	rates       rates
	onDisk      struct {
		text []byte        // its record
		away time.Duration // as it says
	}
}

// sessions owns the beginning and end of every session: both happen under mu, in one piece. Nothing blocks under it.
type sessions struct {
	b *Broker

	mu          sync.Mutex
	byID        map[string]*session
	connected   int
	most        int    // connected at the same time
	filterBytes int    // of all subscriptions
	shared      int    // subscriptions
	subs        int    // subscriptions
	made        uint64 // subscriptions, ever: the number of the last one
}

// establish gives a connection its session, new or taken over [MQTT-3.1.4-3], and answers CONNECT.
//
// It is refused if another user has the session, or if the password that was right a moment ago no longer is.
func (ss *sessions) establish(c *conn, p *wire.Connect) error {
	id := p.ClientID
	if id == "" {
		id = newClientID()
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.byID[id]
	if s != nil && s.user != "" && s.user != c.user {
		return &wire.Error{Code: wire.BadClientID, Why: "the client identifier of another user's session"}
	}
	if !ss.b.access.stillRight(c) {
		return &wire.Error{Code: wire.NotAuthorized, Why: "a password that was changed at the same moment"}
	}
	var before takeovers
	if s != nil && s.conn != nil {
		ss.b.met.takeovers.Inc()
		s.takeovers.note(ss.b, s, c)
		before = s.takeovers
	}
	if s != nil && (p.Clean || s.keep == 0 || s.user != c.user) { // another user's session is not handed over
		ss.discard(s, wire.TakenOver)
		s = nil
	}
	present := s != nil
	if s == nil {
		ss.makeRoom()
		s = ss.create(id, c.user, ss.keeps(c, p))
		s.takeovers = before
	} else {
		s.late.cancel() // [MQTT-3.1.3-9]
		s.late = nil
		s.out.detach()
		if s.conn != nil {
			s.conn.goodbye(wire.TakenOver, nil)
			ss.connected--
		}
	}
	s.conn = c
	ss.connected++
	ss.most = max(ss.most, ss.connected)
	s.profile.Store(ss.b.access.profile(s.user, id))
	s.keep, s.asks = ss.lifetime(c, p)
	if s.kept && !present {
		ss.b.keeping.begin(s)
	}
	s.out.touch() // what is written of it may have changed
	c.session = s
	link := s.in.Connect(c, c.v5(), c.patience)
	c.mu.Lock()
	if !c.closing {
		ack := c.connack(p, present).Append(nil, c.v5())
		if len(ack) <= c.maxPacket {
			c.queue(func(b []byte) []byte { return append(b, ack...) })
			c.flushSoon()
		} else {
			c.why = errors.New("the largest packet that it takes is smaller than the answer to its CONNECT [MQTT-3.1.2-24]")
			c.closeSoon()
		}
	}
	c.link, c.drained = link, func() { s.out.resume(c) }
	c.mu.Unlock()
	s.out.attach(c, c.receiveMax)
	return nil
}

// create makes a session, whose client is away.
func (ss *sessions) create(id, user string, kept bool) *session {
	s := &session{id: id, user: user, in: ss.b.in.NewSession(id), subs: map[string]*subscription{}, kept: kept}
	s.out.b, s.out.s = ss.b, s
	ss.byID[id] = s
	return s
}

// keeps reports whether a new session is kept on disk.
func (ss *sessions) keeps(c *conn, p *wire.Connect) bool {
	keep, _ := ss.lifetime(c, p)
	return keep > 0 && ss.b.keeping.store != nil && ss.b.routes.own != nil
}

// lifetime settles how long the session outlives its connection [MQTT-3.1.2-23], and whether the client asked for that.
func (ss *sessions) lifetime(c *conn, p *wire.Connect) (keep time.Duration, asks bool) {
	limit := ss.b.cfg.SessionExpiry.D()
	switch {
	case c.v5():
		return min(time.Duration(p.SessionExpiry)*time.Second, limit), p.SessionExpiry > 0
	case !p.Clean:
		return limit, false
	}
	return 0, false
}

// end is called when a connection has ended.
func (ss *sessions) end(c *conn) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	c.link.Close()
	s := c.session
	if s.conn != c {
		return // another connection has it, or it has ended
	}
	s.out.detach()
	s.conn, s.away = nil, time.Now()
	s.out.touch()
	ss.connected--
	if s.keep == 0 {
		ss.discard(s, wire.Success)
	}
}

// discard ends a session. What was taken from it is still stored and delivered.
func (ss *sessions) discard(s *session, why byte) {
	if s.conn != nil {
		s.conn.goodbye(why, nil)
		ss.connected--
	}
	left, traces := s.out.clear()
	if s.kept {
		ss.b.keeping.end(s, traces)
	}
	for _, sub := range s.subs {
		ss.drop(sub)
	}
	s.in.End()
	s.conn = nil // its goroutine has no part in the id any more
	delete(ss.byID, s.id)
	s.late.now()
	s.late = nil
	for _, l := range left {
		ss.b.handOver(l)
	}
}

// extend changes the lifetime as a DISCONNECT asks [MQTT-3.14.2-2]; false if it may not.
func (ss *sessions) extend(c *conn, seconds uint32) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := c.session
	if s.conn != c {
		return true // another connection has it
	}
	if seconds > 0 && !s.asks {
		return false
	}
	s.keep = min(time.Duration(seconds)*time.Second, ss.b.cfg.SessionExpiry.D())
	return true
}

// sweep ends the sessions that were away for too long, and measures the others. It is called once a second.
func (ss *sessions) sweep(now time.Time) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, s := range ss.byID {
		s.out.hear()
		if s.conn != nil {
			s.rates.note(s.conn, now)
			s.conn.unstick()
			s.conn.endIfDeaf()
		} else if now.Sub(s.away) >= s.keep {
			ss.b.met.expired.Inc()
			ss.discard(s, wire.Success)
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
		ss.discard(oldest, wire.Success)
	}
}

// full reports whether max_connections other clients are connected: one that comes back takes its own place. A few more
// can slip in at the same moment; how many connections there are at all is bounded by conns.
func (ss *sessions) full(id string) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	connected := ss.connected
	if s := ss.byID[id]; s != nil && s.conn != nil {
		connected--
	}
	return connected >= ss.b.cfg.MaxConnections
}

// count returns the sessions with and without a connection.
func (ss *sessions) count() (connected, away int) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.connected, len(ss.byID) - ss.connected
}

// each calls f for every session, with mu: f must not block.
func (ss *sessions) each(f func(*session)) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, s := range ss.byID {
		f(s)
	}
}

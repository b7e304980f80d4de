package broker

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"edged"
	"edged/broker/intake"
	"edged/broker/transport"
	"edged/broker/wire"

	"golang.org/x/time/rate"
)

const (
	// maxPatience bounds how long a publish waits for room while its connection is not read. It must be well below the
	// keepalive, or the client gives the connection up because its PINGREQ is not answered: see keepalive.
	maxPatience = 5 * time.Second
	// refresh is how often the read deadline is moved; it is added to the keepalive.
	refresh = 500 * time.Millisecond
)

// conn is a client's network connection. Its methods without a word on locking belong to the reading goroutine.
type conn struct {
	b    *Broker
	net  *transport.Conn
	from string // whom the log names
	ip   netip.Addr

	// The reading goroutine's. What does not change after the session is established can be read by everyone from then on.
	in          inbox
	frame       wire.Frame // the one being handled
	version     byte       // of the protocol; 0 before CONNECT
	session     *session
	claimed     string // its client identifier, as it said
	claimedUser string // likewise
	user        string // "": anonymous
	entry       string // of the password file, as it was
	will        *will
	pub         wire.Publish
	passing     route // of it, if its topic is not among the recent ones
	offer       intake.Publish
	extra       []byte                   // what goes with it into the log
	together    together                 // publishes that came, and are to be taken
	one         [1]edged.Handler         // takeOne's
	aliases     [topicAliases + 1]string // by alias, of what the client publishes
	granted     uint16                   // keepalive, in seconds
	idle        time.Duration            // silence after which the connection ends; 0: never
	refreshed   time.Time
	patience    time.Duration // how long its publishes may wait
	receiveMax  int           // deliveries that it takes unacknowledged
	maxPacket   int           // largest packet that it takes
	rate        *rate.Limiter // of its publishes; nil: no limit
	since       time.Time

	received atomic.Uint64 // publishes

	done chan struct{} // closed when the connection is to end
	gone chan struct{} // closed when it has ended
	left chan struct{} // closed when it has left its session
	read chan struct{} // closed when nothing is read any more

	mu       sync.Mutex
	link     *intake.Link // nil before the session is established
	drained  func()       // called when the backlog has become short again
	named    outAliases
	out      []byte // to be written
	writing  int    // bytes that the flushing goroutine is writing
	sent     uint64 // publishes
	moved    int64  // when nothing was left to be written, by the broker's clock
	flushing bool   // a goroutine runs flush
	due      bool   // link may have acknowledgements
	full     bool   // the backlog has become long
	closing  bool   // nothing more is accepted; what is there is written, and then the connection ends
	polite   bool   // the last packet says why: let the client read it
	room     chan struct{}
	why      error // for the log
	reason   byte  // code that goes with it
}

func (c *conn) closed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// park holds the reading goroutine until the connection ends: nothing more is taken in, but what was taken is still
// acknowledged.
func (c *conn) park() { <-c.done }

// keepalive settles how long the client may be silent [MQTT-3.1.2-22] and how long its publishes may wait.
func (c *conn) keepalive(seconds uint16) {
	c.granted, c.idle, c.patience = seconds, 0, maxPatience
	if seconds > 0 {
		keepalive := time.Duration(seconds) * time.Second
		c.idle, c.patience = keepalive*3/2+refresh, min(maxPatience, keepalive*2/5)
	}
	c.refreshed = time.Time{}
	c.heard()
}

// heard moves the deadline of reading on: every byte shows that the client is there.
func (c *conn) heard() {
	if c.version == 0 {
		return // the time to CONNECT runs
	}
	now := time.Now()
	if now.Sub(c.refreshed) < refresh || c.closed() {
		return
	}
	c.refreshed = now
	var deadline time.Time
	if c.idle > 0 {
		deadline = now.Add(c.idle)
	}
	_ = c.net.SetReadDeadline(deadline)
	if c.closed() {
		_ = c.net.SetReadDeadline(past) // closeSoon has set it in between
	}
}

var past = time.Unix(1, 0)

// Wake has acknowledgements written (intake.Peer).
func (c *conn) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.due = true
		c.flushSoon()
	}
}

// Sever ends the connection (intake.Peer).
func (c *conn) Sever(code byte, why error) { c.goodbye(code, why) }

// goodbye ends the connection for a reason: an MQTT 5 client is told the code, and why is logged when the connection has
// ended. It does not block, and can be called from any goroutine.
func (c *conn) goodbye(code byte, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.why, c.reason = why, code
	if c.link != nil && c.v5() {
		c.queue(func(b []byte) []byte { return wire.AppendDisconnect(b, code) })
		c.polite = true
	}
	c.closeSoon()
}

// v5 is settled before link is set, and not changed after.
func (c *conn) v5() bool { return c.version == 5 }

// name is for the log: who the client is or, before it has come in, who it says it is.
func (c *conn) name() string {
	if c.session == nil {
		return c.claimed
	}
	return c.session.id
}

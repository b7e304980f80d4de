package broker

import (
	"net"
	"sync"
	"time"

	"edged/broker/intake"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	// maxPatience bounds how long a publish waits for room while its connection is not read. It must be well below the
	// keepalive, or the client gives the connection up because its PINGREQ is not answered: see keepalive.
	maxPatience = 5 * time.Second
	// refresh is how often the read deadline is moved; it is added to the keepalive.
	refresh = 500 * time.Millisecond
)

// conn is a client's network connection, as the library sees it. Its methods without a word on locking belong to the
// reading goroutine.
type conn struct {
	net.Conn
	b *Broker

	// The reading goroutine's.
	session    *session
	will       *will
	pub        intake.Publish // the one being offered
	version    byte           // of the protocol; 0 before CONNECT
	idle       time.Duration  // silence after which the connection ends; 0: never
	refreshed  time.Time
	ackID      uint16 // packet identifier of the SUBSCRIBE or UNSUBSCRIBE being handled
	subscribed []subscription
	granted    []byte        // reason codes for them
	patience   time.Duration // how long its publishes may wait
	capped     bool          // it asked for a longer session than it gets
	last       byte          // the last one read

	establishing bool // it holds sessions.mu
	receiveMax   int  // deliveries that it takes unacknowledged

	done chan struct{} // closed when the connection is to end
	gone chan struct{} // closed when it has ended

	mu       sync.Mutex
	link     *intake.Link // nil before the session is established
	out      []byte       // to be written
	writing  int          // bytes that the flushing goroutine is writing
	flushing bool         // a goroutine runs flush
	due      bool         // link may have acknowledgements
	closing  bool         // nothing more is accepted; what is there is written, and then the connection ends
	polite   bool         // the last packet says why: let the client read it
	room     chan struct{}
	why      error // for the log
	reason   byte  // code that goes with it
}

func newConn(b *Broker, c net.Conn) *conn {
	_ = c.SetReadDeadline(time.Now().Add(b.cfg.ConnectTimeout.D()))
	return &conn{Conn: c, b: b, done: make(chan struct{}), gone: make(chan struct{})}
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

// keepalive settles how long the client may be silent and how long its publishes may wait.
func (c *conn) keepalive(seconds uint16) (patience time.Duration) {
	c.idle, c.refreshed = 0, time.Time{}
	if seconds == 0 {
		return maxPatience
	}
	keepalive := time.Duration(seconds) * time.Second
	c.idle = keepalive*3/2 + refresh
	return min(maxPatience, keepalive*2/5)
}

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
func (c *conn) Sever(code byte, why error) { c.goodbye(packets.Code{Code: code}, why) }

// goodbye ends the connection for a reason: an MQTT 5 client is told the code, and why is logged when the connection has
// ended. It does not block, and can be called from any goroutine.
func (c *conn) goodbye(code packets.Code, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.why, c.reason = why, code.Code
	if c.link != nil && c.v5() {
		c.out = append(c.out, packets.Disconnect<<4, 1, code.Code)
		c.polite = true
	}
	c.closeSoon()
}

// because notes why a connection has ended, for the log, unless a reason is known.
func (c *conn) because(code packets.Code, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.why, c.reason = why, code.Code
	}
}

// v5 is settled before link is set, and not changed after.
func (c *conn) v5() bool { return c.version == 5 }

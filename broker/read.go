package broker

import (
	"net"
	"os"
	"time"
)

// readStop is the backlog of unwritten bytes at which a client is not read any further: it makes us answer faster than it
// reads the answers.
const readStop = 1 << 20

// Read reads, unless the client has left too much unread.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.waitForReader(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if c.closed() {
		return 0, net.ErrClosed
	}
	if n > 0 {
		c.last = p[n-1]
	}
	return n, err
}

// waitForReader waits until the client has read enough of what was written, for no longer than it may be silent.
func (c *conn) waitForReader() error {
	for {
		room, err := c.backlogged()
		if room == nil {
			return err
		}
		var silent <-chan time.Time
		if c.idle > 0 {
			silent = time.After(time.Until(c.refreshed.Add(c.idle)))
		}
		select {
		case <-room:
		case <-c.done:
		case <-silent:
			return os.ErrDeadlineExceeded
		}
	}
}

// backlogged returns a channel that is closed when something has been written, or nil if the client may be read.
func (c *conn) backlogged() (room <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil, net.ErrClosed
	}
	if len(c.out)+c.writing < readStop {
		return nil, nil
	}
	if c.room == nil {
		c.room = make(chan struct{})
	}
	return c.room, nil
}

// SetDeadline is called by the library before each packet, with a time of its own arithmetic, which overflows. What counts
// is the keepalive [MQTT-3.1.2-22]; writing has deadlines of its own.
func (c *conn) SetDeadline(time.Time) error {
	if c.version == 0 {
		return nil // the time to CONNECT runs
	}
	now := time.Now()
	if now.Sub(c.refreshed) < refresh {
		return nil
	}
	c.refreshed = now
	if c.idle == 0 {
		return c.SetReadDeadline(time.Time{})
	}
	return c.SetReadDeadline(now.Add(c.idle))
}

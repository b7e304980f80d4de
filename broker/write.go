package broker

import (
	"io"
	"net"
	"time"

	"edged/broker/intake"
)

const (
	// chunk is what must get through within stalled; a client slower than that has lost the connection without noticing.
	chunk   = 16 << 10
	stalled = time.Minute
	// farewell is how long a connection that ends may take to write what is left and to be read empty, so that the client
	// sees the last packet and not a reset.
	farewell = time.Second
	// Buffers up to these sizes are used again: while a burst goes on, and for the next one.
	burstBuffer = 64 << 10
	idleBuffer  = 512
)

// Write queues p to be written by a goroutine that runs while there is something to write. It never blocks, because the
// library holds a lock of the client around it that deliveries need: one client that does not read would stop them all.
// The queue is bounded by those who fill it: QoS 0 is dropped when the client is congested, QoS 1 and 2 are bounded by
// its window, and a client is not read while too much waits for it. It can be called from any goroutine.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return 0, net.ErrClosed
	}
	c.out = append(c.out, p...)
	c.polite = lastPacket(p)
	c.flushSoon()
	return len(p), nil
}

// lastPacket reports whether the library ends the connection after p: a DISCONNECT, or a CONNACK with an error.
func lastPacket(p []byte) bool {
	return p[0] == 0xE0 || p[0] == 0x20 && len(p) >= 4 && p[3] != 0
}

// congested reports whether so much waits to be written that QoS 0 is better dropped.
func (c *conn) congested() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out)+c.writing > maxBacklog
}

// Close lets what was written before go out, and then ends the connection. It does not block.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeSoon()
	return nil
}

func (c *conn) closeSoon() {
	if c.closing {
		return
	}
	c.closing = true
	close(c.done)
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // the reader returns
	_ = c.Conn.SetWriteDeadline(time.Now().Add(farewell))
	c.flushSoon()
}

// flushSoon has flush run. It is called with the lock.
func (c *conn) flushSoon() {
	if !c.flushing {
		c.flushing = true
		go c.flush() // ends before gone is closed, for which serve waits; or when there is nothing to write
	}
}

// flush writes until there is nothing to write. Two buffers take turns: one is written while the other is filled.
func (c *conn) flush() {
	var spare []byte
	for {
		buf, link := c.next(spare)
		if buf == nil && link == nil {
			return
		}
		plain := len(buf)
		if link != nil {
			buf = link.Collect(buf)
		}
		n, err := c.send(buf)
		if len(buf) > plain {
			link.Written(max(0, n-plain))
		}
		c.written(err)
		if spare = buf[:0]; cap(spare) > burstBuffer {
			spare = nil
		}
	}
}

// next takes what is to be written, and leaves spare to be filled. If there is nothing it returns nil twice, and flush must
// end; if the connection is to end, it has.
func (c *conn) next(spare []byte) (buf []byte, link *intake.Link) {
	c.mu.Lock()
	if len(c.out) > 0 || c.due && c.link != nil {
		defer c.mu.Unlock()
		buf, link = c.out, c.link
		c.out, c.due, c.writing = spare, false, len(buf)
		return buf, link
	}
	if cap(c.out) > idleBuffer {
		c.out = nil
	}
	closing, polite := c.closing, c.polite
	c.flushing = closing // nobody else begins when it ends
	c.mu.Unlock()
	if closing {
		if polite {
			c.readEmpty()
		}
		_ = c.Conn.Close()
		close(c.gone)
	}
	return nil, nil
}

// written makes room for more, or ends the connection.
func (c *conn) written(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = 0
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
	if err != nil {
		c.out, c.due, c.polite = nil, false, false
		c.closeSoon()
	}
}

// send writes all of buf, or returns how much the socket took.
func (c *conn) send(buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		c.mu.Lock()
		if !c.closing {
			_ = c.Conn.SetWriteDeadline(time.Now().Add(stalled))
		}
		c.mu.Unlock()
		var k int
		k, err = c.Conn.Write(buf[n:min(n+chunk, len(buf))])
		n += k
	}
	return n, err
}

// readEmpty closes the sending half and reads what the client has still sent. Closing with unread input would reset the
// connection, and the client would lose the packet that says why.
func (c *conn) readEmpty() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(farewell))
	_, _ = io.CopyN(io.Discard, c.Conn, 4*readStop)
}

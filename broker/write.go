package broker

import (
	"errors"
	"io"
	"time"

	"edged/broker/intake"
	"edged/broker/wire"
)

const (
	// chunk is what must get through within stalled; a client slower than that has lost the connection without noticing.
	chunk   = 16 << 10
	stalled = time.Minute
	// farewell is how long a connection that ends may take to write what is left and to be read empty, so that the client
	// sees the last packet and not a reset.
	farewell = time.Second
	// farewellBytes is how much of it is read.
	farewellBytes = 4 << 20
	// Buffers up to these sizes are used again: while a burst goes on, and for the next one.
	burstBuffer = 64 << 10
	idleBuffer  = 512
)

// put queues a packet that append encodes. It never blocks: those who fill the queue keep it short (deliver, next).
// It can be called from any goroutine.
func (c *conn) put(encode func(b []byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.queue(encode)
		c.flushSoon()
	}
}

// queue appends what encode appends to what is to be written. It is called with the lock.
func (c *conn) queue(encode func(b []byte) []byte) {
	before := len(c.out)
	c.out = encode(c.out)
	c.b.backlogs.Add(int64(len(c.out) - before))
}

// answer is what deliver did with a message.
type answer byte

const (
	delivered answer = iota
	ended            // the connection has ended
	tooLarge         // for the client: it must not be sent to it [MQTT-3.1.2-24]
	crowded          // too much is waiting to be written; drained is called when less is
)

// deliver queues a message for the client, unless more than the write backlog is waiting. It can be called from any goroutine.
func (c *conn) deliver(m *wire.Message) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return ended
	case c.backlog() > int(c.b.cfg.MaxWriteBacklog): // most of the time it is this
		c.full = true
		return crowded
	}
	size := m.Size(c.v5())
	if size > c.maxPacket {
		return tooLarge
	}
	if !c.b.cfg.roomFor(size, c.backlog(), c.b.backlogs.Load(), c.lively()) {
		c.full = true
		return crowded
	}
	if size+aliasSize <= c.maxPacket {
		c.named.shorten(m)
	}
	c.queue(func(b []byte) []byte { return m.Append(b, c.v5()) })
	c.sent++
	c.flushSoon()
	return delivered
}

func (c *conn) backlog() int { return len(c.out) + c.writing }

// close lets what was written before go out, and then ends the connection. It does not block, and can be called from any
// goroutine.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeSoon()
}

func (c *conn) closeSoon() {
	if c.closing {
		return
	}
	c.closing = true
	close(c.done)
	_ = c.net.SetReadDeadline(past) // the reader returns
	_ = c.net.SetWriteDeadline(time.Now().Add(farewell))
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
	var spare, buf []byte
	var link *intake.Link
	defer func() {
		if v := recover(); v != nil {
			c.rescue(v, buf)
		}
	}()
	for {
		buf, link = c.next(spare)
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
		if drained := c.written(plain, err); drained != nil {
			drained()
		}
		if spare = buf[:0]; cap(spare) > burstBuffer {
			spare = nil
		}
	}
}

// rescue ends the connection after a panic of its writing goroutine.
func (c *conn) rescue(v any, written []byte) {
	c.b.panicked(c.name(), c.from, "writing to", v, written)
	c.mu.Lock()
	c.b.backlogs.Add(-int64(c.backlog()))
	c.out, c.writing, c.due, c.polite = nil, 0, false, false
	c.closeSoon()
	c.mu.Unlock()
	_ = c.net.Close()
	close(c.gone)
}

// next takes what is to be written, and leaves spare to be filled. If there is nothing it returns nil twice, and flush must
// end; if the connection is to end, it has.
func (c *conn) next(spare []byte) (buf []byte, link *intake.Link) {
	buf, link, last, polite := c.takeOut(spare)
	if last {
		if polite {
			c.readEmpty()
		}
		_ = c.net.Close()
		close(c.gone)
	}
	return buf, link
}

func (c *conn) takeOut(spare []byte) (buf []byte, link *intake.Link, last, polite bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) > 0 || c.due && c.link != nil {
		buf, link = c.out, c.link
		c.out, c.due, c.writing = spare, false, len(buf)
		return buf, link, false, false
	}
	if cap(c.out) > idleBuffer {
		c.out = nil
	}
	c.moved = c.b.seconds.Load()
	c.flushing = c.closing // nobody else begins when it ends
	return nil, nil, c.closing, c.polite
}

// written makes room for more, or ends the connection.
func (c *conn) written(n int, err error) (drained func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = 0
	c.b.backlogs.Add(-int64(n))
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
	if err != nil {
		c.b.backlogs.Add(-int64(len(c.out)))
		c.out, c.due, c.polite = nil, false, false
		c.closeSoon()
		return nil
	}
	if c.full && !c.closing {
		c.full = false
		return c.drained
	}
	return nil
}

// unstick goes on sending to a client that has no backlog of its own, and for which there was no room among all of them.
func (c *conn) unstick() {
	c.mu.Lock()
	drained := c.drained
	stuck := c.full && c.backlog() == 0 && !c.closing
	if stuck {
		c.full = false
	}
	c.mu.Unlock()
	if stuck && drained != nil {
		drained()
	}
}

// send writes all of buf, or returns how much the socket took.
func (c *conn) send(buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		c.mayWrite()
		var k int
		k, err = c.net.Write(buf[n:min(n+chunk, len(buf))])
		n += k
	}
	c.b.met.bytesOut.Add(n)
	return n, err
}

func (c *conn) mayWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.net.SetWriteDeadline(time.Now().Add(stalled))
	}
}

// readEmpty closes the sending half and reads what the client has still sent. Closing with unread input would reset the
// connection, and the client would lose the packet that says why.
func (c *conn) readEmpty() {
	if c.net.CloseWrite() != nil {
		return
	}
	select {
	case <-c.read: // there is one reader at a time
	case <-time.After(farewell):
		return
	}
	_ = c.net.SetReadDeadline(time.Now().Add(farewell))
	_, _ = io.CopyN(io.Discard, c.net, farewellBytes)
}

// waitForReader waits until the client has read enough of what was written: it makes us answer faster than it reads the
// answers.
func (c *conn) waitForReader() error { return c.waitForRoom(2) }

// waitForWriter waits until there is room for a message of QoS 0.
func (c *conn) waitForWriter() error { return c.waitForRoom(0.5) }

func (c *conn) backlogOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backlog() >= c.limit()/2 && !c.closing
}

// lively reports whether the client takes what it is sent: everything was written within the last two seconds or so. It is called
// with the lock.
func (c *conn) lively() bool { return c.b.seconds.Load()-c.moved <= 2 }

// patienceWithDeaf is for how many seconds a client may leave everything unread while there is too little memory for all.
const patienceWithDeaf = 10

// endIfDeaf ends a connection to which nothing can be written while others need the memory.
func (c *conn) endIfDeaf() {
	c.mu.Lock()
	deaf := c.backlog() > backlogLeast && c.b.seconds.Load()-c.moved > patienceWithDeaf
	c.mu.Unlock()
	if deaf && c.b.backlogs.Load() > backlogsTotal {
		c.b.met.deaf.Inc()
		c.goodbye(wire.QuotaExceeded, errDeaf)
	}
}

var errDeaf = errors.New("it has not read what it was sent for some seconds, and too much memory is needed for all who do not")

func (c *conn) takesSomething() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lively()
}

// limit is the present write backlog. It is called with the lock.
func (c *conn) limit() int { return c.b.cfg.backlog(c.b.backlogs.Load(), c.lively()) }

// waitForRoom waits until less waits to be written than a part of the limit.
func (c *conn) waitForRoom(part float64) error {
	for {
		room, err := c.backlogged(part)
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
			return errSilent
		}
	}
}

// backlogged returns a channel that is closed when something has been written, or nil if the client may be read.
func (c *conn) backlogged(part float64) (room <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil, errClosed
	}
	if float64(c.backlog()) < part*float64(c.limit()) {
		return nil, nil
	}
	if c.room == nil {
		c.room = make(chan struct{})
	}
	return c.room, nil
}

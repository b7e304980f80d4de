package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"time"

	"edged/broker/transport"
	"edged/broker/wire"
)

// Why the reading of a connection ends, when nothing is wrong with what came.
var (
	errBye    = errors.New("its client has said goodbye")
	errClosed = errors.New("the connection is closed")
	errSilent = errors.New("its client was silent for longer than its keepalive allows")
)

// serve runs one connection on its reading goroutine, from the first byte to the last. A panic ends the connection, and
// not the gateway.
func (b *Broker) serve(nc net.Conn, l *transport.Listener) {
	b.met.conns.Inc()
	defer func() {
		if v := recover(); v != nil { // in the handshake, or in what the end of the connection means
			b.panicked("", nc.RemoteAddr().String(), "serving", v, nil)
			_ = nc.Close()
		}
	}()
	deadline := time.Now().Add(b.cfg.ConnectTimeout.D())
	tc, err := l.Handshake(nc, deadline)
	if err != nil {
		b.met.handshakes.Inc()
		b.handshakeFailed(nc, l, err)
		_ = nc.Close()
		return
	}
	c := &conn{b: b, net: tc, from: tc.Remote().String(), ip: tc.IP(), since: time.Now(), moved: b.seconds.Load(), done: make(chan struct{}), gone: make(chan struct{}), left: make(chan struct{}), read: make(chan struct{})}
	c.in.c, c.in.raw, c.in.ready = c, tc.Raw(), c.in.readSocket
	_ = tc.SetReadDeadline(deadline)
	if !b.conns.greeted(nc, c) {
		_ = tc.Close()
		return
	}
	defer func() {
		b.ended(c)
		close(c.left)
		c.close()
		<-c.gone
		if c.why != nil {
			b.seldom.Warn(fmt.Sprint("closed ", c.reason), "broker: closed a client's connection", "client", c.name(), "user", c.claimedUser, "from", c.from, "reason", c.why)
		}
	}()
	err = c.talk()
	close(c.read)
	c.over(err)
}

// handshakeFailed says what somebody can put right; the rest is what strangers do to every open port.
func (b *Broker) handshakeFailed(nc net.Conn, l *transport.Listener, err error) {
	var cert *transport.CertificateError
	if errors.As(err, &cert) {
		b.seldom.Warn(fmt.Sprint("certificate", cert.Own), "broker: a TLS connection was refused because of a certificate", "from", nc.RemoteAddr(), "listener", l.Address(), "error", err)
		return
	}
	if l.Address().TLS() {
		b.seldom.Warn("handshake", "broker: a connection ended in its TLS handshake; if it is a client of yours: does it speak TLS, trust this certificate (--cafile), and ask for a name or address that is in it?",
			"from", nc.RemoteAddr(), "listener", l.Address(), "error", err)
		return
	}
	b.log.Debug("broker: a connection ended in its handshake", "from", nc.RemoteAddr(), "listener", l.Address(), "error", err)
}

// talk handles what the client sends, until it or we have had enough.
func (c *conn) talk() (err error) {
	defer c.in.end()
	defer func() {
		if v := recover(); v != nil {
			c.b.panicked(c.name(), c.from, "reading from", v, append([]byte{c.frame.First}, c.frame.Body...))
			err = errClosed
		}
	}()
	if err := c.greet(); err != nil {
		return err
	}
	defer c.takeGathered() // it came before what ends the connection
	for {
		if c.together.gathered == nil { // what was gathered has no answers yet
			if err := c.waitForReader(); err != nil {
				return err
			}
		}
		f, err := c.in.next(int(c.b.cfg.MaxPacketSize))
		if err != nil {
			return err
		}
		if c.closed() {
			return errClosed
		}
		c.frame = f
		if err := c.handle(f); err != nil {
			return err
		}
	}
}

// over ends the connection for the reason for which its reading has ended.
func (c *conn) over(err error) {
	var wrong *wire.Error
	switch {
	case errors.As(err, &wrong) && wrong.Code == wire.PacketTooLarge:
		c.b.met.tooLong.Inc()
		c.goodbye(wrong.Code, fmt.Errorf("it sent a packet larger than max_packet_size (%v); if that is a publish, the client will send it again and again: raise max_packet_size, or correct the client", c.b.cfg.MaxPacketSize))
	case errors.As(err, &wrong):
		if wrong.Invalid() {
			c.b.met.malformed.Inc()
		}
		c.goodbye(wrong.Code, fmt.Errorf("it sent %s", wrong.Why))
	case errors.Is(err, os.ErrDeadlineExceeded) && c.version == 0:
		c.b.log.Debug("broker: a connection ended: no CONNECT came in time", "from", c.from)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, errSilent):
		c.b.met.silent.Inc()
		c.goodbye(wire.KeepAliveTimeout, errSilent)
	}
	c.close()
}

// panicked counts and says, with the packet that was being handled or the bytes that were being written: the beginning, because it can be large, and because it
// can hold what is nobody's business.
func (b *Broker) panicked(client, from, doing string, v any, packet []byte) {
	b.met.panics.Inc()
	b.seldom.Warn("panic", "broker: a connection was closed because "+doing+" it failed; this is a bug of edged: please report it with this line",
		"client", client, "from", from, "panic", v, "packet", fmt.Sprintf("%X", packet[:min(len(packet), 32)]),
		"size", len(packet), "stack", string(debug.Stack()))
}

// ended settles what the end of a connection means, once.
func (b *Broker) ended(c *conn) {
	if c.session != nil {
		b.wills.due(c)
		b.sessions.end(c)
	} else if c.will != nil { // it was refused a session when its will was already counted
		b.deposits.give(c.will.size())
	}
	for _, name := range c.aliases {
		b.deposits.give(len(name))
	}
}

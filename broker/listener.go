package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// handshakes is the number of connections beyond max_connections that may exist until they have said who they are: those
// that are told that the server is busy.
const handshakes = 64

// Listen opens the configured addresses. Clients can connect from then on, and are served when Run is called.
func (b *Broker) Listen() error {
	for _, l := range b.cfg.Listen {
		hostport, wrong := address(l)
		if wrong != "" {
			return fmt.Errorf("broker: listen: %q %s", l, wrong)
		}
		ln, err := net.Listen("tcp", hostport)
		if err != nil {
			b.closeListeners()
			return listenError(l, err)
		}
		b.listeners = append(b.listeners, ln)
	}
	return nil
}

func listenError(l string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("broker: %s is in use by another program, perhaps another MQTT broker: stop it, or choose another port under listen in [broker]: %w", l, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("broker: %s is not an address of this machine: correct listen in [broker]: %w", l, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("broker: not allowed to listen on %s: choose a port above 1023 under listen in [broker]: %w", l, err)
	}
	return fmt.Errorf("broker: cannot listen on %s: %w", l, err)
}

// Addrs returns the addresses listened on, in the order of the configuration. Port 0 has become a real one.
func (b *Broker) Addrs() []net.Addr {
	var out []net.Addr
	for _, l := range b.listeners {
		out = append(out, l.Addr())
	}
	return out
}

func (b *Broker) closeListeners() {
	for _, l := range b.listeners {
		_ = l.Close()
	}
}

// accept serves one listener until it is closed. Running out of file descriptors is waited out.
func (b *Broker) accept(ctx context.Context, l net.Listener) error {
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			b.seldom.Warn("accept", "broker: cannot accept a connection; trying on", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if !b.conns.add(c, b) {
			b.met.refusedConns.Inc()
			b.seldom.Warn("connections", "broker: a connection was closed at once: too many; raise max_connections if these are yours",
				"max_connections", b.cfg.MaxConnections, "from", c.RemoteAddr())
			_ = c.Close()
		}
	}
}

// serve runs one connection on its reading goroutine. A panic ends the connection, not the gateway.
func (b *Broker) serve(c *conn) {
	b.met.conns.Inc()
	defer func() {
		if v := recover(); v != nil {
			b.met.panics.Inc()
			b.seldom.Warn("panic", "broker: a connection was closed because handling it failed; this is a bug of edged or of its MQTT library",
				"from", c.RemoteAddr(), "panic", v, "stack", string(debug.Stack()))
		}
		b.ended(c)
		_ = c.Close()
		<-c.gone
		if c.why != nil {
			b.seldom.Warn(fmt.Sprint("closed ", c.reason), "broker: closed a client's connection", "client", c.name(), "from", c.RemoteAddr(), "reason", c.why)
		}
	}()
	err := b.srv.EstablishConnection("tcp", c)
	if errors.Is(err, packets.ErrServerBusy) {
		b.met.refusedConns.Inc()
		b.seldom.Warn("connections", "broker: a client was told that the server is busy; raise max_connections if these are yours",
			"max_connections", b.cfg.MaxConnections, "from", c.RemoteAddr())
	}
	if errors.Is(err, packets.ErrPacketTooLarge) {
		b.met.tooLong.Inc()
		c.because(packets.ErrPacketTooLarge, fmt.Errorf("it sent a packet larger than max_packet_size (%v); if that is a publish, the client will send it again and again: raise max_packet_size, or correct the client", b.cfg.MaxPacketSize))
	}
	if c.version == 0 {
		b.log.Debug("broker: a connection ended before its CONNECT", "from", c.RemoteAddr(), "error", err)
	}
}

// ended settles what the end of a connection means, once. The library does not publish a will when it notices the end
// between two packets.
func (b *Broker) ended(c *conn) {
	if !c.establishing {
		b.wills.due(c)
	}
	b.sessions.end(c)
}

func (c *conn) name() string {
	if c.session == nil {
		return ""
	}
	return c.session.id
}

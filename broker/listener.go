package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"edged/broker/transport"
)

// handshakes is the number of connections beyond max_connections that may exist until they have said who they are: those
// that are told that the server is busy.
const handshakes = 64

// Listen opens the configured addresses. Clients can connect from then on, and are served when Run is called.
func (b *Broker) Listen() error {
	for _, l := range b.cfg.Listen {
		a, err := transport.Parse(l)
		if err != nil {
			b.closeListeners()
			return fmt.Errorf("broker: listen: %q %w", l, err)
		}
		ln, err := transport.Listen(a, transport.Options{TLS: b.tls, Origins: b.cfg.Origins})
		if err != nil {
			b.closeListeners()
			return err
		}
		b.listeners = append(b.listeners, ln)
	}
	return nil
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
func (b *Broker) accept(ctx context.Context, l *transport.Listener) error {
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
		if why, ok := b.conns.add(c, l, b); !ok {
			_ = c.Close()
			if why != notNow {
				b.met.refusedConns.Inc()
				b.seldom.Warn("connections"+string(why), "broker: a connection was closed at once, because of "+string(why)+"; raise it if these are yours", "from", c.RemoteAddr())
			}
		}
	}
}

package transport

import (
	"crypto/tls"
	"errors"
	"sync"
	"time"
)

// farewell is how long a peer may take to let go what is being written to it, when the connection is to end.
const farewell = time.Second

// secure is a TLS connection that does not wait for its peer when it ends.
type secure struct {
	*tls.Conn
	below *patience
}

func newSecure(s socket, config *tls.Config) *secure {
	p := &patience{socket: s}
	return &secure{tls.Server(p, config), p}
}

// Close ends the socket. The close_notify that crypto/tls would send could take five seconds.
func (s *secure) Close() error { return s.below.Close() }

// CloseWrite sends close_notify (RFC 8446, 6.1) and ends the socket's direction. A Write under way has its time limited.
func (s *secure) CloseWrite() error {
	s.below.limit(time.Now().Add(farewell))
	return errors.Join(s.Conn.CloseWrite(), s.below.CloseWrite())
}

// patience is a socket whose write deadline can be limited for good: crypto/tls sets its own, a longer one, to say farewell.
type patience struct {
	socket
	mu  sync.Mutex
	end time.Time
}

func (p *patience) limit(end time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end.IsZero() {
		p.end = end
		_ = p.socket.SetWriteDeadline(end)
	}
}

// SetWriteDeadline implements net.Conn.
func (p *patience) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.end.IsZero() && (t.IsZero() || t.After(p.end)) {
		t = p.end
	}
	return p.socket.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (p *patience) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

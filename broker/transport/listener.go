package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// writeBuffer is what the kernel keeps of a peer that does not read; by itself it would take some MiB (tcp(7), tcp_wmem).
	writeBuffer = 128 << 10
	// A peer that has gone without a word is noticed after a minute.
	probeIdle     = 30 * time.Second
	probeInterval = 10 * time.Second
	probeCount    = 3
)

// Options are what a listener may need besides its address.
type Options struct {
	// TLS is for tls and wss. Listeners may share it.
	TLS *TLS
	// Origins are the web pages' origins (RFC 6454: "https://panel.example") that may connect over ws and wss. A client
	// that sends no Origin header is no browser, and is always accepted. Empty: every page may connect.
	Origins []string
}

// Listener accepts connections on one address. Its methods may be called at the same time.
type Listener struct {
	address Address
	options Options
	l       net.Listener
	addr    net.Addr
	unbind  func()
	buffers sync.Pool // write buffers of WebSocket connections, in use for one frame
}

// Listen opens an address. Peers can connect from then on. The errors say what to do.
func Listen(a Address, o Options) (*Listener, error) {
	if a.TLS() && o.TLS == nil {
		return nil, fmt.Errorf("broker: %s needs a certificate: set tls.cert and tls.key in [broker]", a)
	}
	l := &Listener{address: a, options: o, unbind: func() {}}
	if a.Scheme == schemeUnix {
		s, err := bind(a)
		if err != nil {
			return nil, err
		}
		l.l, l.addr, l.unbind = s.l, &net.UnixAddr{Name: a.Path, Net: "unix"}, s.unlink
		return l, nil
	}
	c := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeIdle, Interval: probeInterval, Count: probeCount}}
	var err error
	if l.l, err = c.Listen(context.Background(), "tcp", a.Host); err != nil {
		return nil, listenError(a, err)
	}
	l.addr = l.l.Addr()
	return l, nil
}

func listenError(a Address, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("broker: %s is in use by another program, perhaps another MQTT broker: stop it, or choose another port under listen in [broker]: %w", a, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("broker: %s is not an address of this machine: correct listen in [broker]: %w", a, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("broker: not allowed to listen on %s: choose a port above 1023 under listen in [broker]: %w", a, err)
	}
	return fmt.Errorf("broker: cannot listen on %s: %w", a, err)
}

// Accept waits for the next connection, and for nothing that its peer has to do. The error is net.ErrClosed after Close;
// others, like a lack of file descriptors, pass.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.l.Accept()
	if err != nil {
		return nil, err
	}
	if s, ok := c.(socket); ok {
		_ = s.SetWriteBuffer(writeBuffer) // fails when the peer has gone, which is noticed anyway
	}
	return c, nil
}

// Close ends Accept. Connections stay. A socket of the file system is removed, if it is still this listener's.
func (l *Listener) Close() error {
	l.unbind()
	return l.l.Close()
}

// Addr is where the listener listens: port 0 has become a real one.
func (l *Listener) Addr() net.Addr { return l.addr }

// Address is the configured address.
func (l *Listener) Address() Address { return l.address }

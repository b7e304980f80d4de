package guard

import (
	"net"
	"sync"
	"sync/atomic"
)

// Limit bounds the connections of l that are open at the same time: each of two kinds to max, those from this machine and
// those from others, so that strangers cannot shut out who works here. One too many is closed at once, and refused is
// called with its address; it must not block. Waiting, as netutil.LimitListener does, would keep the strangers' places and
// let the others starve.
func Limit(l net.Listener, max int64, refused func(net.Addr)) net.Listener {
	return &limited{Listener: l, max: max, refused: refused}
}

type limited struct {
	net.Listener
	max         int64
	refused     func(net.Addr)
	here, there atomic.Int64
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		open := &l.there
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
			open = &l.here
		}
		if open.Add(1) > l.max {
			open.Add(-1)
			c.Close()
			l.refused(c.RemoteAddr())
			continue
		}
		return &counted{Conn: c, open: open}, nil
	}
}

type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

package broker

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"edged/broker/limit"
	"edged/broker/transport"
)

// conns is the set of open connections, each served by one goroutine. It bounds them before anything is read.
type conns struct {
	cfg  *Config
	rate *limit.Rate

	mu     sync.Mutex
	closed bool
	all    map[net.Conn]*conn // nil until its handshake is over
	count  limit.Count
	wg     sync.WaitGroup
}

// refusal is why a connection is closed at once.
type refusal string

const (
	tooMany     refusal = "max_connections"
	tooManyFrom refusal = perAddress
	tooQuick    refusal = perSecond
	notNow      refusal = ""
)

// add serves a new connection, or says why not.
func (cs *conns) add(nc net.Conn, l *transport.Listener, b *Broker) (refusal, bool) {
	from := addressOf(nc)
	if !cs.rate.Take(cs.cfg.countedAs(from, perSecond)) {
		return tooQuick, false
	}
	ip := cs.cfg.countedAs(from, perAddress)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	switch {
	case cs.closed:
		return notNow, false
	case len(cs.all) >= cs.cfg.MaxConnections+handshakes:
		return tooMany, false
	case !cs.count.Take(ip, cs.cfg.MaxConnectionsPerAddress):
		return tooManyFrom, false
	}
	cs.all[nc] = nil
	cs.wg.Go(func() {
		defer func() {
			cs.mu.Lock()
			delete(cs.all, nc)
			cs.count.Give(ip)
			cs.mu.Unlock()
		}()
		b.serve(nc, l)
	})
	return "", true
}

// addressOf is where a connection comes from; the zero value if it is a unix socket.
func addressOf(nc net.Conn) netip.Addr {
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// greeted is called when the handshake of a connection is over; false if it is not wanted any more.
func (cs *conns) greeted(nc net.Conn, c *conn) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !cs.closed {
		cs.all[nc] = c
	}
	return !cs.closed
}

// close ends every connection with bye, and waits for their goroutines for at most the given time. It returns how many
// are left.
func (cs *conns) close(bye func(*conn), wait time.Duration) int {
	cs.mu.Lock()
	cs.closed = true
	for nc, c := range cs.all {
		if c == nil {
			_ = nc.Close()
		} else {
			bye(c)
		}
	}
	cs.mu.Unlock()
	ended := make(chan struct{})
	go func() { cs.wg.Wait(); close(ended) }()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.all)
}

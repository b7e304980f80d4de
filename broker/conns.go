package broker

import (
	"net"
	"sync"
	"time"
)

// conns is the set of open connections, each served by one goroutine.
type conns struct {
	mu     sync.Mutex
	max    int
	closed bool
	all    map[*conn]struct{}
	wg     sync.WaitGroup
}

// add serves a new connection; false if there are too many, or none are served any more.
func (cs *conns) add(nc net.Conn, b *Broker) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed || len(cs.all) >= cs.max {
		return false
	}
	c := newConn(b, nc)
	cs.all[c] = struct{}{}
	cs.wg.Go(func() {
		defer func() {
			cs.mu.Lock()
			delete(cs.all, c)
			cs.mu.Unlock()
		}()
		b.serve(c)
	})
	return true
}

// close ends every connection with bye, and waits for their goroutines for at most the given time. It returns how many
// are left.
func (cs *conns) close(bye func(*conn), wait time.Duration) int {
	cs.mu.Lock()
	cs.closed = true
	for c := range cs.all {
		bye(c)
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

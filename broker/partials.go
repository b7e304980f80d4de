package broker

import (
	"errors"
	"sync"
	"time"

	"edged/broker/wire"
)

// partialBytes bounds the memory of large packets that have come in part, of all connections together.
const partialBytes = 16 << 20

var errPartial = errors.New("large packets that come slowly took too much memory together, and its was the oldest; it may try again")

// partials are the large packets that have come in part. When they need too much, the one that is under way longest ends with
// its connection: whoever sends at an honest speed is done before that.
type partials struct {
	mu    sync.Mutex
	bytes int
	open  map[*partial]struct{}
}

type partial struct {
	ps     *partials
	c      *conn
	since  time.Time
	bytes  int
	doomed bool
}

func (ps *partials) begin(c *conn, bytes int) *partial {
	p := &partial{ps: ps, c: c, since: time.Now()}
	ps.mu.Lock()
	if ps.open == nil {
		ps.open = map[*partial]struct{}{}
	}
	ps.open[p] = struct{}{}
	ps.mu.Unlock()
	p.grow(bytes)
	return p
}

// grow says how much has come.
func (p *partial) grow(bytes int) {
	ps := p.ps
	ps.mu.Lock()
	if !p.doomed {
		ps.bytes += bytes - p.bytes
		p.bytes = bytes
	}
	var victim *partial
	if ps.bytes > max(partialBytes, int(p.c.b.cfg.MaxPacketSize)+smallBuffer) {
		for x := range ps.open {
			if !x.doomed && (victim == nil || x.since.Before(victim.since)) {
				victim = x
			}
		}
	}
	if victim != nil { // what it has goes with its connection, very soon
		victim.doomed = true
		ps.bytes -= victim.bytes
		victim.bytes = 0
	}
	ps.mu.Unlock()
	if victim != nil {
		victim.c.goodbye(wire.QuotaExceeded, errPartial)
	}
}

// end forgets a packet: it is whole, or its connection has ended.
func (p *partial) end() {
	p.ps.mu.Lock()
	defer p.ps.mu.Unlock()
	p.ps.bytes -= p.bytes
	delete(p.ps.open, p)
}

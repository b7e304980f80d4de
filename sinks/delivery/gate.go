package delivery

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"edged"
)

// Gate is the way in for messages. It is closed for what a delivery with when_full = "block" needs, as long as that
// delivery has reached its max_pending: nothing is lost, and the publishers keep what they are not acknowledged.
//
// It also gives up the cursors of what was removed from the configuration, once they have held back max_pending.
type Gate struct {
	looking sync.Mutex // held while it looks and gives up; guards what Change changes
	o       GateOptions
	closed  atomic.Bool // something is
	mu      sync.Mutex
	streams map[string]string // closed streams, and the sink that closes them
	reopen  chan struct{}     // closed and replaced when a stream opens
}

// GateOptions make a Gate.
type GateOptions struct {
	Store      Store
	Blocking   []Blocking // the configured deliveries with when_full = "block"
	Known      []string   // names of the cursors that belong to the configuration
	Takes      func(stream, receiver, topic string) bool
	OrphanMax  int64 // what the cursor of a removed stream may hold back, bytes
	Log        *slog.Logger
	Resolution time.Duration // how often it looks, at most
}

// Blocking is a delivery that closes the way.
type Blocking struct {
	Stream, Sink string
	Max          int64
}

// NewGate makes a gate that is open.
func NewGate(o GateOptions) *Gate {
	return &Gate{o: o, streams: map[string]string{}, reopen: make(chan struct{})}
}

// Change tells of another configuration. It waits for what is being given up: afterwards nothing that is known is. A stream that no
// blocking delivery closes any more is open at once.
func (g *Gate) Change(blocking []Blocking, known []string) {
	g.looking.Lock()
	defer g.looking.Unlock()
	g.o.Blocking, g.o.Known = blocking, known
	g.look()
}

// Closed returns nil if messages of this topic are let in, else a channel that is closed when it is worth asking again.
func (g *Gate) Closed(receiver, topic string) <-chan struct{} {
	if !g.closed.Load() {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for stream := range g.streams {
		if g.o.Takes(stream, receiver, topic) {
			return g.reopen
		}
	}
	return nil
}

// Blocked lists what is closed: stream by sink, for status.
func (g *Gate) Blocked() map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string]string{}
	for stream, sink := range g.streams {
		out[stream] = sink
	}
	return out
}

// Run looks after every commit, until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := g.o.Store.Changed()
		g.looking.Lock()
		g.look()
		g.giveUp(ctx)
		g.looking.Unlock()
		select {
		case <-ctx.Done():
		case <-changed:
			select {
			case <-ctx.Done():
			case <-time.After(g.o.Resolution):
			}
		}
	}
	return nil
}

func (g *Gate) look() {
	now := map[string]string{}
	for _, b := range g.o.Blocking {
		c, ok := g.o.Store.Cursor(edged.DeliveryCursor(b.Stream, b.Sink))
		if ok && g.o.Store.Pending(c.Log, c.Need) >= b.Max {
			now[b.Stream] = b.Sink
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	opened := false
	for stream, sink := range g.streams {
		if _, still := now[stream]; !still {
			opened = true
			g.o.Log.Info("intake is open again", "stream", stream, "sink", sink)
		}
	}
	for stream, sink := range now {
		if _, already := g.streams[stream]; !already {
			g.o.Log.Warn("intake stops: the delivery has reached max_pending and has when_full = \"block\"; nothing is lost, publishers keep what is not acknowledged", "stream", stream, "sink", sink)
		}
	}
	g.streams = now
	g.closed.Store(len(now) > 0)
	if opened {
		close(g.reopen)
		g.reopen = make(chan struct{})
	}
}

// giveUp forgets what was removed from the configuration and holds back more than it may.
func (g *Gate) giveUp(ctx context.Context) {
	var u edged.Update
	for _, c := range g.o.Store.Cursors() {
		if slices.Contains(g.o.Known, c.Name) || len(c.Need) == 0 {
			continue
		}
		limit := g.o.OrphanMax
		if strings.HasPrefix(c.Name, "delivery/") {
			if rec, err := readRecord(c); err == nil && rec.Max > 0 {
				limit = rec.Max
			}
		}
		if held := g.o.Store.Pending(c.Log, c.Need); held >= limit {
			u.Forget = append(u.Forget, c.Name)
			g.o.Log.Warn("given up: it was removed from the configuration and has held back max_pending", "cursor", c.Name, "bytes", held)
		}
	}
	if len(u.Forget) > 0 {
		if err := g.o.Store.Commit(ctx, &u, false); err != nil && ctx.Err() == nil {
			g.o.Log.Warn("removed cursors could not be given up yet", "error", err)
		}
	}
}

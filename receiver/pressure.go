package receiver

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Batch is what a consumer says of one batch of a receiver's messages that it has worked off.
type Batch struct {
	Messages float64 // of this receiver
	Took     time.Duration
	Delay    time.Duration // how long it could have begun before it did
}

// pressure holds what the consumers of a receiver can bear (Spark: RateController). Each has an estimator of its own, and the slowest decides.
// An estimate stays until its consumer's next batch: who is silent has nothing to change.
type pressure struct {
	mu sync.Mutex
	by map[string]*consumer
}

type consumer struct {
	pid  *PID
	last Batch
	rate float64 // infinity before the first estimate
}

// Report takes what a consumer says, by its name, at the time when its batch has ended, and sets the pace anew: the least of max_rate and the
// estimates. Publishers are slowed by it and never refused: Take blocks.
func (g *Generator) Report(by string, b Batch) {
	g.pressure.mu.Lock()
	defer g.pressure.mu.Unlock()
	c := g.pressure.by[by]
	if c == nil {
		c = &consumer{pid: NewPID(g.o.MinRate, g.o.Batch), rate: math.Inf(1)}
		g.pressure.by[by] = c
	}
	c.last = b
	if rate, ok := c.pid.Estimate(time.Now(), b.Messages, b.Took, b.Delay); ok {
		c.rate = rate
		g.repace()
	}
}

// Forget drops the estimate of a consumer that is no more.
func (g *Generator) Forget(by string) {
	g.pressure.mu.Lock()
	defer g.pressure.mu.Unlock()
	delete(g.pressure.by, by)
	g.repace()
}

// repace sets the pace. The lock is held.
func (g *Generator) repace() {
	limit := g.o.maxRate()
	for _, c := range g.pressure.by {
		limit = min(limit, c.rate)
	}
	g.pace.set(limit)
}

// maxRate is MaxRate, with infinity for none.
func (o *Options) maxRate() float64 {
	if o.MaxRate > 0 {
		return o.MaxRate
	}
	return math.Inf(1)
}

// Rate is how fast a receiver takes messages in at most, and why.
type Rate struct {
	Limit     float64    `json:"limit,omitempty"` // messages a second; 0 is no bound
	MaxRate   float64    `json:"max_rate,omitempty"`
	Estimates []Estimate `json:"estimates,omitempty"` // by name
}

// Estimate is what one consumer bears, and its last batch.
type Estimate struct {
	By       string  `json:"by"`             // "stream NAME" or "sink NAME"
	Rate     float64 `json:"rate,omitempty"` // messages a second; 0 before the second batch
	Messages float64 `json:"messages"`
	Seconds  float64 `json:"seconds"`
	Delay    float64 `json:"delay_seconds"`
}

// RateLimit is the most that is taken in now, in messages a second; infinity if there is no bound.
func (g *Generator) RateLimit() float64 { return g.pace.perSecond() }

// Rate returns the present rate and what it is made of.
func (g *Generator) Rate() Rate {
	g.pressure.mu.Lock()
	defer g.pressure.mu.Unlock()
	r := Rate{Limit: bounded(g.pace.perSecond()), MaxRate: g.o.MaxRate}
	for by, c := range g.pressure.by {
		r.Estimates = append(r.Estimates, Estimate{by, bounded(c.rate), c.last.Messages, c.last.Took.Seconds(), c.last.Delay.Seconds()})
	}
	slices.SortFunc(r.Estimates, func(a, b Estimate) int { return strings.Compare(a.By, b.By) })
	return r
}

func bounded(rate float64) float64 {
	if math.IsInf(rate, 1) {
		return 0
	}
	return rate
}

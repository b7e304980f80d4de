package receiver

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// pace lets messages through at a rate that may change while they wait.
//
// One of those who wait holds the turn, and it alone has reserved a token: when the rate changes it gives the reservation back and asks anew, so
// that nobody waits by a rate that is over. The others wait for the turn, in the order in which they came.
type pace struct {
	limit   *rate.Limiter
	bounded atomic.Bool // limit is not infinite; without the limiter's lock, because each message asks
	turn    chan struct{}

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when the rate changes
}

// newPace makes a pace of so many messages a second; infinity is no bound.
func newPace(perSecond float64) *pace {
	p := &pace{limit: rate.NewLimiter(rate.Inf, 0), turn: make(chan struct{}, 1), changed: make(chan struct{})}
	if !math.IsInf(perSecond, 1) {
		p.limit = rate.NewLimiter(rate.Limit(perSecond), burst(perSecond))
		p.bounded.Store(true)
	}
	return p
}

// burst is a fifth of a second's worth: what may pass at once.
func burst(perSecond float64) int { return max(1, int(min(perSecond/5, math.MaxInt32))) }

// perSecond is the present rate.
func (p *pace) perSecond() float64 {
	if l := p.limit.Limit(); l != rate.Inf {
		return float64(l)
	}
	return math.Inf(1)
}

// set changes the rate, also for who waits.
func (p *pace) set(perSecond float64) {
	if perSecond == p.perSecond() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if math.IsInf(perSecond, 1) {
		p.limit.SetLimit(rate.Inf)
	} else {
		p.limit.SetBurst(burst(perSecond)) // first: without one a bounded rate lets nothing through
		p.limit.SetLimit(rate.Limit(perSecond))
	}
	p.bounded.Store(!math.IsInf(perSecond, 1))
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait returns when one message may pass, or ctx's error. It does not begin ctx's wait if there is nothing to wait for.
func (p *pace) wait(ctx context.Context) error {
	if !p.bounded.Load() || p.limit.Allow() {
		return nil
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	for {
		if again, err := p.next(ctx); !again {
			return err
		}
	}
}

// next waits for a token; again says that the rate has changed meanwhile.
func (p *pace) next(ctx context.Context) (again bool, err error) {
	p.mu.Lock()
	changed := p.changed
	p.mu.Unlock()
	r := p.limit.Reserve()
	delay := r.Delay()
	if delay == 0 {
		return false, nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-changed:
		r.Cancel()
		return true, nil
	case <-ctx.Done():
		r.Cancel()
		return false, ctx.Err()
	}
}

// charge counts n messages that have passed without waiting: the next ones wait the longer.
func (p *pace) charge(n int) {
	if p.limit.Limit() == rate.Inf {
		return
	}
	for now := time.Now(); n > 0; {
		k := min(n, max(1, p.limit.Burst()))
		p.limit.ReserveN(now, k)
		n -= k
	}
}

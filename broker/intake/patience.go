package intake

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// patience is the context of a connection's Takes: it ends with base, or bound after somebody has begun to wait on it.
// Nearly every Take finds room at once and never waits, so it makes a timer only when Done is asked for; a publish that
// does not wait costs no allocation. It is used for one publish after another, with reset between them: a Handler must
// not keep it after Take has returned.
type patience struct {
	base  context.Context
	bound time.Duration

	waited atomic.Bool // timed is set; without the lock, because each publish asks

	mu     sync.Mutex
	timed  context.Context // nil until somebody waits
	cancel context.CancelFunc
}

// Done begins the wait. Every wait within one publish has the same end.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed == nil {
		p.timed, p.cancel = context.WithTimeout(p.base, p.bound)
		p.waited.Store(true)
	}
	return p.timed.Done()
}

// Err is nil until the wait is over.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed != nil {
		return p.timed.Err()
	}
	return p.base.Err()
}

// Deadline is unknown: it depends on when the wait begins.
func (p *patience) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value asks base.
func (p *patience) Value(key any) any { return p.base.Value(key) }

func (p *patience) reset() {
	if !p.waited.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel()
	p.timed, p.cancel = nil, nil
	p.waited.Store(false)
}

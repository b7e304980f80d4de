// Package clock stamps arrivals: wall time that never runs backwards within an epoch.
//
// The wall clock of a small computer is wrong at power-on and is set later, sometimes by years. A step of more than Step
// begins a new epoch, and so does a start at which wall time is behind what the store has seen. A smaller step back is
// held flat until the wall clock has caught up. Stamps are compared by epoch first (edged.Instant).
package clock

import (
	"sync"
	"time"

	"edged"
)

// Clock is safe for use by many goroutines.
type Clock struct {
	mu     sync.Mutex
	epoch  uint32
	last   int64         // the latest stamp's wall time, ns
	offset time.Duration // wall minus monotonic at the last reading
	set    bool
	base   time.Time // where the monotonic reading starts
}

// New makes a clock that continues after the last instant that the store has seen (the zero Instant if none).
func New(seen edged.Instant) *Clock {
	return &Clock{epoch: seen.Epoch, last: seen.Wall, base: time.Now()}
}

// Now stamps the present.
func (c *Clock) Now() edged.Instant {
	now := time.Now()
	return c.at(now.UnixNano(), now.Sub(c.base))
}

// at is Now for given readings of the wall clock (ns since 1970) and of the monotonic clock.
func (c *Clock) at(wall int64, mono time.Duration) edged.Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	offset := time.Duration(wall) - mono
	switch {
	case !c.set: // the first reading of this life: only behind the store is a step
		if wall < c.last {
			c.next(wall)
		}
		c.set = true
	case offset-c.offset > Step || c.offset-offset > Step || c.last-wall > int64(Step):
		c.next(wall)
	}
	c.offset = offset
	c.last = max(c.last, wall)
	return edged.Instant{Epoch: c.epoch, Wall: c.last}
}

func (c *Clock) next(wall int64) {
	c.epoch++
	c.last = wall
}

package edged

import (
	"cmp"
	"time"
)

// Instant is a moment on the gateway's clock: wall time that never runs backwards within its epoch.
//
// A step of the wall clock of more than 2 s, or wall time behind the store at start, begins a new epoch. Instants
// compare by epoch first, so that arrival order survives a clock that was set. The zero Instant is before all others.
type Instant struct {
	Epoch uint32
	Wall  int64 // nanoseconds since 1970, UTC
}

// Compare returns -1, 0 or +1.
func (a Instant) Compare(b Instant) int {
	if c := cmp.Compare(a.Epoch, b.Epoch); c != 0 {
		return c
	}
	return cmp.Compare(a.Wall, b.Wall)
}

// Before reports whether a is earlier than b.
func (a Instant) Before(b Instant) bool { return a.Compare(b) < 0 }

// IsZero reports whether a was never set.
func (a Instant) IsZero() bool { return a == Instant{} }

// Add moves a within its epoch.
func (a Instant) Add(d time.Duration) Instant { return Instant{a.Epoch, a.Wall + int64(d)} }

// Time is the wall time, in UTC.
func (a Instant) Time() time.Time { return time.Unix(0, a.Wall).UTC() }

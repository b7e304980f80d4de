// Package wave makes the signals of simulated pins.
//
// A wave is a function of time since its start, its configuration and the pin's name, and of nothing else: two runs of
// the same configuration give the same values.
package wave

import (
	"errors"
	"math"
	"time"

	"edged/internal/conf"
)

// ErrEnd says that a wave that does not repeat is over.
var ErrEnd = errors.New("the wave is over")

// Config is the configuration of one kind of wave. A new one holds the defaults.
type Config interface {
	// Check reports what is wrong with the bound values. It may read the file that the wave replays.
	Check(t *conf.Table)
	// Digital reports whether the wave has no other values than 0 and 1.
	Digital() bool
	// New makes the wave of the pin of that name. Check was called before, and found nothing.
	New(pin string) Wave
}

// Wave is a signal. Its methods are called by one goroutine, and do not allocate.
type Wave interface {
	// At is the value at a time since the start, or ErrEnd.
	At(elapsed time.Duration) (float64, error)
}

// Stepper is a Wave that holds its value between changes, so that it has edges.
type Stepper interface {
	Wave
	// Next is the time of the first change later than after. If no change is to come it returns false and the time at
	// which the wave ends, or Never.
	Next(after time.Duration) (time.Duration, bool)
}

// Never is later than every change.
const Never = time.Duration(math.MaxInt64)

// shortest bounds periods from below: a simulated pin must not take a whole processor.
const shortest = time.Millisecond

// limit bounds values, so that sums and products of them stay finite.
const limit = 1e15

// bounds are the keys of waves that move between two values.
type bounds struct {
	Min float64 `toml:"min" doc:"lowest value"`
	Max float64 `toml:"max" doc:"highest value"`
}

func (b bounds) check(t *conf.Table) {
	switch {
	case t.Bad("min") || t.Bad("max"):
	case !(math.Abs(b.Min) <= limit): // not <= also catches NaN
		t.Errorf("min", "min: want a number between -1e15 and 1e15")
	case !(math.Abs(b.Max) <= limit):
		t.Errorf("max", "max: want a number between -1e15 and 1e15")
	case b.Min >= b.Max:
		t.Errorf("max", "max: want more than min (%v), have %v", b.Min, b.Max)
	}
}

func checkPeriod(t *conf.Table, period conf.Duration, least time.Duration) {
	if !t.Bad("period") && period.D() < least {
		t.Errorf("period", "period: want at least %v", least)
	}
}

// millionth rounds a computed value: sensors have a resolution too, and processors differ in the last bits.
func millionth(v float64) float64 { return math.Round(v*1e6)/1e6 + 0 } // + 0 turns -0 into 0

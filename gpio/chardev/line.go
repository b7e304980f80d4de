package chardev

import (
	"errors"
	"fmt"
	"os"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// lineSet is what is used of *gpioioctl.LineSet. Its WaitForEdge waits for ever when the timeout is 0 and not at all when
// it is negative; conn's gpio.PinIn, and the fakes in gpiotest, mean it the other way round.
type lineSet interface {
	Read(mask gpio.GPIOValue) (gpio.GPIOValue, error)
	WaitForEdge(timeout time.Duration) (number int, edge gpio.Edge, err error)
	Close() error
}

// Line is one requested input line. It belongs to one goroutine.
type Line struct {
	name string
	set  lineSet
}

// Read returns the level, 0 or 1. The time is not looked at: a line has only the present.
func (l *Line) Read(time.Time) (float64, error) {
	bits, err := l.set.Read(1)
	if err != nil {
		return 0, fmt.Errorf("line %s cannot be read: %w", l.name, err)
	}
	return float64(bits & 1), nil
}

// Wait blocks until the line changes, at most timeout (if that is not positive: hardly at all). It returns the level
// after the change; edges that came between two calls are returned one by one, oldest first.
func (l *Line) Wait(timeout time.Duration) (level float64, changed bool, err error) {
	_, edge, err := l.set.WaitForEdge(max(timeout, time.Nanosecond))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, false, nil
	case err != nil: // the chip is gone, for one: without this the loop would spin
		return 0, false, fmt.Errorf("line %s: waiting for an edge: %w", l.name, err)
	case edge == gpio.RisingEdge:
		return 1, true, nil
	case edge == gpio.FallingEdge:
		return 0, true, nil
	}
	return 0, false, fmt.Errorf("line %s: the kernel reported an event that is no edge", l.name)
}

// Close releases the line to other programs. Nobody can be in Wait then (one goroutine), so there is nothing to Halt.
func (l *Line) Close() error { return l.set.Close() }

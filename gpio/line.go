package gpio

import (
	"time"

	"edged/gpio/chardev"
)

// line is one input: the seam between the pins' loop and the drivers. It belongs to one goroutine.
type line interface {
	// Read is the value now. due is the time that the reading is for: a simulator answers for exactly that time, so that
	// its samples do not depend on how punctual the computer is.
	Read(due time.Time) (float64, error)

	// Wait blocks until the line changes, at most timeout, and returns the value after the change. Changes between two
	// calls are not lost: they are returned one by one. An error ends the use of the line.
	Wait(timeout time.Duration) (value float64, changed bool, err error)

	Close() error
}

// opener requests the line of a pin, ready for Wait if the pin reports edges.
type opener func(p *PinConfig) (line, error)

func openWith(d *chardev.Driver) opener {
	return func(p *PinConfig) (line, error) {
		l, err := d.Open(p.Line, p.Pull, p.Edge != "")
		if err != nil {
			return nil, err // not l: a nil *chardev.Line is no nil line
		}
		return l, nil
	}
}

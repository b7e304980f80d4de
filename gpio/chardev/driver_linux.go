package chardev

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// Driver opens lines by name. A process has one: the chips are kept in variables of periph's packages.
type Driver struct {
	log *slog.Logger

	mu      sync.Mutex
	scanned []string              // what readableChips returned at the last scan
	retired []*gpioioctl.GPIOChip // chips of earlier scans; scan says why they are kept
}

// New looks for chips. What it does not find is looked for again by Open.
//
// Call it before the process opens and closes files on other goroutines: on a board where two names lead to one chip (a
// Pi 5's /dev/gpiochip4) the library closes the second's descriptor twice, which could hit a file opened in between.
func New(log *slog.Logger) *Driver {
	d := &Driver{log: log}
	_ = d.scan() // Open tells
	return d
}

// Open requests a line for input. pull is "up", "down" or "none" (left as the board has it); edges are reported by Wait
// if wanted. An error names what is missing; opening may work later, when the chip has come.
//
// A name that several chips have means the one that periph sorts first: a chip labelled pinctrl-…, which is the board's
// header. On the others the line is called CHIP-NAME (gpiochip1-GPIO17).
func (d *Driver) Open(name, pull string, edges bool) (*Line, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.scan(); err != nil {
		return nil, err
	}
	i, err := find(known(gpioioctl.Chips), name)
	if err != nil {
		return nil, err
	}
	chip := gpioioctl.Chips[i]
	edge := gpio.NoEdge
	if edges {
		edge = gpio.BothEdges
	}
	keepStdin()
	set, err := chip.LineSet(gpioioctl.LineInput, edge, pullOf(pull), name)
	if err != nil {
		return nil, explain(err, chip.ByName(name), chip)
	}
	d.log.Info("line opened", "line", name, "chip", chip.Name(), "label", chip.Label())
	return &Line{name, set}, nil
}

func pullOf(pull string) gpio.Pull {
	switch pull {
	case "up":
		return gpio.PullUp
	case "down":
		return gpio.PullDown
	}
	return gpio.PullNoChange // the driver sends no bias flag, for Float neither
}

// explain adds what to do to the kernel's answer. The driver passes on its text only, not its number.
func explain(err error, line *gpioioctl.GPIOLine, chip *gpioioctl.GPIOChip) error {
	what := fmt.Errorf("line %s of %s (%s) cannot be requested: %w", line.Name(), chip.Name(), chip.Label(), err)
	switch {
	case strings.Contains(err.Error(), unix.EBUSY.Error()):
		return fmt.Errorf("%w: another program or kernel driver holds it; gpioinfo (package gpiod) shows which", what)
	case strings.Contains(err.Error(), unix.ENODEV.Error()):
		return fmt.Errorf("%w: the chip is gone", what)
	}
	return what
}

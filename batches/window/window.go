// Package window knows which windows a moment belongs to. Windows are half-open, [start, end), and lie on a grid that
// begins at 1970-01-01T00:00:00Z, so that they are the same in every life of the gateway.
//
// What windows share is kept once, in panes: stretches as long as the greatest common divisor of a window's size and
// step. A row goes into one pane; a window is the merge of its panes, in order (Li and others, SIGMOD Record 2005).
package window

import (
	"fmt"
	"strings"
	"time"

	"edged/internal/conf"
)

// Spec is a kind of window. The zero Spec is no window.
type Spec struct {
	Size  int64 // ns
	Every int64 // ns between the starts of two windows; Size for tumbling ones
	pane  int64
}

// Parse reads "tumbling 10s" or "sliding 1m every 10s". "" is no window.
func Parse(text string) (Spec, error) {
	f := strings.Fields(text)
	switch {
	case len(f) == 0:
		return Spec{}, nil
	case f[0] == "tumbling" && len(f) == 2:
		size, err := length(f[1])
		return Spec{size, size, size}, err
	case f[0] == "sliding" && len(f) == 4 && f[2] == "every":
		size, err := length(f[1])
		if err != nil {
			return Spec{}, err
		}
		every, err := length(f[3])
		if err == nil && every > size {
			err = fmt.Errorf("%q leaves gaps between the windows: the step must be at most the size", text)
		}
		s := Spec{size, every, gcd(size, every)}
		if err == nil && size/s.pane > maxPanes {
			err = fmt.Errorf("%q has windows of %d parts; at most %d are allowed: choose a longer step, one that divides the size", text, size/s.pane, maxPanes)
		}
		return s, err
	}
	return Spec{}, fmt.Errorf(`%q is not a window; write "tumbling 10s" or "sliding 1m every 10s"%s`, text, conf.Suggest(f[0], []string{"tumbling", "sliding"}))
}

// maxPanes bounds the parts of one window, and with them the work of closing it.
const maxPanes = 10000

func length(text string) (int64, error) {
	d, err := conf.ParseDuration(text)
	if err == nil && d < time.Millisecond {
		err = fmt.Errorf("%q is too short for a window; it must be at least 1ms", text)
	}
	return int64(d), err
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// IsZero reports whether there is no window.
func (s Spec) IsZero() bool { return s.Size == 0 }

// Pane returns the start of the pane that a moment belongs to.
func (s Spec) Pane(at int64) int64 { return floorDiv(at, s.pane) * s.pane }

// PaneSize is the length of a pane, in nanoseconds.
func (s Spec) PaneSize() int64 { return s.pane }

// First returns the start of the first window, in order of time, that a pane belongs to.
func (s Spec) First(pane int64) int64 {
	return (floorDiv(pane+s.pane-s.Size-1, s.Every) + 1) * s.Every
}

// Last returns the start of the last window that a pane belongs to.
func (s Spec) Last(pane int64) int64 { return floorDiv(pane, s.Every) * s.Every }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

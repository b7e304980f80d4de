package gpio

import "time"

// debounce turns the edges of a line into changes. A change counts when the line has been still for quiet; its time is
// that of its first edge. A line that is back at its old value by then has only bounced. With quiet 0 every edge counts.
type debounce struct {
	quiet time.Duration
	value float64 // the last that counted

	pending     bool
	candidate   float64
	first, last time.Time // edges of the change that is pending
	edges       uint64    // their number
}

// change is a change that counts.
type change struct {
	value float64
	edge  edge
	at    time.Time
}

// saw takes an edge to a value, seen at a time.
func (d *debounce) saw(value float64, at time.Time) {
	if !d.pending {
		d.pending, d.first, d.edges = true, at, 0
	}
	d.candidate, d.last = value, at
	d.edges++
}

// left is how long the line must still be quiet for the pending change to count; false if none is pending.
func (d *debounce) left(now time.Time) (time.Duration, bool) {
	return d.quiet - now.Sub(d.last), d.pending
}

// settle decides about the pending change if the line has been quiet for long enough. It returns the change, if it
// counts, and how many edges were bounces.
func (d *debounce) settle(now time.Time) (c change, counts bool, bounces uint64) {
	if left, pending := d.left(now); !pending || left > 0 {
		return change{}, false, 0
	}
	d.pending = false
	if d.quiet > 0 && d.candidate == d.value {
		return change{}, false, d.edges
	}
	c = change{d.candidate, edgeOf(d.value, d.candidate), d.first}
	d.value = d.candidate
	return c, true, d.edges - 1
}

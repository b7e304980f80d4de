// Package window knows the kinds of windows, and which windows of a grid a moment belongs to. Windows are half-open, [start, end). Those of a grid begin
// at multiples of their step since 1970-01-01T00:00:00Z, so that they are the same in every life of the gateway.
//
// What windows of a grid share is kept once, in panes: stretches as long as the greatest common divisor of a window's size and
// step. A row goes into one pane; a window is the merge of its panes, in order (Li and others, SIGMOD Record 2005).
package window

// Kind is a kind of window.
type Kind uint8

// The kinds.
const (
	None     Kind = iota // every message on its own
	Tumbling             // of a grid, one after the other
	Sliding              // of a grid, overlapping
	Session              // of a group: rows less than a gap apart
	Count                // of a group: so many rows
	Batch                // what one step of the stream takes
	Running              // of a group: everything since the stream began
)

// Spec is a kind of window with its figures. The zero Spec is no window.
type Spec struct {
	Kind  Kind
	Size  int64  // of a grid: ns
	Every int64  // of a grid: ns between the starts of two windows; Size for tumbling ones
	Gap   int64  // of sessions: ns
	Rows  uint64 // of count windows
	pane  int64
}

// IsZero reports whether there is no window.
func (s Spec) IsZero() bool { return s.Kind == None }

// OnGrid reports whether the windows begin at multiples of their step, and have panes.
func (s Spec) OnGrid() bool { return s.Kind == Tumbling || s.Kind == Sliding }

// Pane returns the start of the pane that a moment belongs to.
func (s Spec) Pane(at int64) int64 { return FloorDiv(at, s.pane) * s.pane }

// InPane reports whether a moment belongs to the pane that begins at start. It needs no division.
func (s Spec) InPane(start, at int64) bool {
	return at >= start && uint64(at)-uint64(start) < uint64(s.pane) // the distance may be more than an int64 holds
}

// PaneSize is the length of a pane, in nanoseconds.
func (s Spec) PaneSize() int64 { return s.pane }

// First returns the start of the first window, in order of time, that a pane belongs to.
func (s Spec) First(pane int64) int64 {
	return (FloorDiv(pane+s.pane-s.Size-1, s.Every) + 1) * s.Every
}

// Last returns the start of the last window that a pane belongs to.
func (s Spec) Last(pane int64) int64 { return FloorDiv(pane, s.Every) * s.Every }

// Place returns the multiple of the size that lies in the window that begins at start, or at its start.
func (s Spec) Place(start int64) int64 { return -FloorDiv(-start, s.Size) * s.Size }

// After returns the start of the first window that begins after a moment.
func (s Spec) After(at int64) int64 { return (FloorDiv(at, s.Every) + 1) * s.Every }

// FloorDiv divides, and rounds down: also before 1970.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Package sinktest is the suite that every kind of sink passes: the contract of edged.Sink, tried from outside.
//
// A kind describes itself with a Harness and calls Run. The suite plays the delivery runner: it commits what Write returns,
// or does not and starts over as after a kill.
package sinktest

import (
	"testing"

	"edged"
)

// Guarantee is what a kind promises about rows whose delivery was interrupted and done again.
type Guarantee int

const (
	ExactlyOnce Guarantee = iota // the target holds each row once
	Keyed                        // a delivery may come again, with the same key and the same bytes
	AtLeastOnce                  // a delivery may come again
)

// Harness is one target and how to reach it.
type Harness struct {
	Guarantee Guarantee
	// New makes a sink for the same target each time, as a restarted gateway does.
	New func() edged.Sink
	// Encode appends the bytes that the rows of one delivery must become.
	Encode func(dst []byte, rows *edged.Rows) []byte
	// Arrived returns what the target holds, in order of arrival. A target that does not know deliveries, such as a file,
	// returns all its bytes as one Arrival without a key. No sink is open when it is called.
	Arrived func() []Arrival
	// Refuse makes the target take exactly these further deliveries and then refuse, with retryable errors, until the
	// returned function is called. nil: this target cannot be made to refuse.
	Refuse func(after []edged.Delivery) (accept func())
	// Hang makes the target stop in the middle of what it is given next, until release is called; reached is closed when it
	// does. nil: this target cannot be made to hang.
	Hang func() (reached <-chan struct{}, release func())
}

// Arrival is what the target took in one piece.
type Arrival struct {
	Key  string
	Body []byte
}

// Run runs the suite. fresh makes a harness whose target holds nothing; it is called at least once for each part.
func Run(t *testing.T, fresh func(t *testing.T) Harness) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, func(*testing.T) Harness)
	}{
		{"delivers in order", inOrder},
		{"goes on where its receipt ends", reopens},
		{"opens again after close", sameObject},
		{"an uncommitted turn comes again", uncommitted},
		{"any turns, any crashes", anyCrashes},
		{"an error leaves earlier deliveries done", refuses},
		{"write retains nothing", retainsNothing},
		{"a cancelled context ends write", cancelled},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, fresh) })
	}
}

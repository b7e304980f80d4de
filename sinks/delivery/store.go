package delivery

import (
	"context"

	"edged"
)

// Store is what deliveries need of the block store.
type Store interface {
	UUID() string
	Cursor(name string) (edged.Cursor, bool)
	Cursors() []edged.Cursor
	Changed() <-chan struct{}
	// Pending is the number of bytes of log that these needs hold back.
	Pending(log string, need edged.Spans) int64
	// Lack is the number of bytes of log that must be given up for intake to go on; 0 while there is room.
	Lack() int64
	// Commit waits until u is durable; soon asks for a commit as soon as the disk is idle.
	Commit(ctx context.Context, u *edged.Update, soon bool) error
}

// sinkCursor is the name under which a sink's receipt and the ranges of its turn are kept; it needs nothing of any log.
func sinkCursor(sink string) string { return "sink/" + sink }

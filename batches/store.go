package batches

import (
	"context"

	"edged"
)

// Store is what streams need of the block store.
type Store interface {
	End() uint64
	Oldest() (uint64, error)
	Next(seq uint64) (edged.Entry, bool, error)
	LastTick() *edged.Tick
	Changed() <-chan struct{}
	Cursor(name string) (edged.Cursor, bool)
	Cursors() []edged.Cursor
	Pending(log string, need edged.Spans) int64 // bytes, about
	ResultEnd(stream string) uint64
	NextResult(stream string, seq uint64) (edged.Result, bool, error)
	LastResult(stream string) (edged.Result, bool, error) // the newest that is kept: in a new era its number is far from the end
	Values(space string, each func(key string, value []byte, err error) error) error
	// Commit waits until u is durable; soon asks for a commit as soon as the disk is idle.
	Commit(ctx context.Context, u *edged.Update, soon bool) error
}

// Spaces of the store that belong to this room.
const (
	spaceDefinitions = "definitions" // by stream: its definition, and those that deliveries still need
	spaceState       = "state/"      // + stream: the open windows as of the last checkpoint
)

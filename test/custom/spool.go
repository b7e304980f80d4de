package custom

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"edged"
)

// Spool brings each file NAME.reading of a directory as a message, in the order of the names, and removes it when it is stored. Who writes
// a file gives it that name when it is whole. A crash between the two brings a file again: every reading comes at least once.
type Spool struct {
	Dir   string
	Topic string
	Every time.Duration // between two looks into the directory
}

// settleWithin is how long a stop waits until what was taken is stored. What is not by then stays in the directory.
const settleWithin = 5 * time.Second

// Run implements edged.Receiver. Its errors are retryable: a directory that cannot be read today may be there tomorrow.
func (s *Spool) Run(ctx context.Context, h edged.Handler) error {
	r := &run{Spool: s, handler: h, files: map[uint64]string{}, taken: map[string]bool{}, receipts: newReceipts()}
	err := r.work(ctx)
	if ctx.Err() != nil {
		err = nil // a stop is no failure
	}
	return errors.Join(err, r.settle())
}

// run is one life of the receiver. Its fields are Run's own; only the receipts are shared with who acknowledges.
type run struct {
	*Spool
	handler  edged.Handler
	files    map[uint64]string // by token: what was taken, and is still there
	taken    map[string]bool   // the same, by name
	token    uint64            // the last one
	receipts *receipts
}

func (r *run) work(ctx context.Context) error {
	look := time.NewTicker(r.Every)
	defer look.Stop()
	for {
		if err := r.bring(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case <-r.receipts.more:
		}
		if err := r.remove(); err != nil {
			return err
		}
	}
}

// bring hands over what is new. Take blocks when the gateway has no room: then the files wait where they are.
func (r *run) bring(ctx context.Context) error {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return fmt.Errorf("looking for readings: %w", err)
	}
	for _, e := range entries {
		if r.taken[e.Name()] || !strings.HasSuffix(e.Name(), ".reading") {
			continue
		}
		payload, err := os.ReadFile(filepath.Join(r.Dir, e.Name()))
		if err != nil {
			return fmt.Errorf("reading a reading: %w", err)
		}
		r.token++
		if err := r.handler.Take(ctx, &edged.Message{Topic: r.Topic, Payload: payload}, r.receipts, r.token); err != nil {
			return err // it was not taken, and nobody will acknowledge it
		}
		r.files[r.token], r.taken[e.Name()] = e.Name(), true
	}
	return nil
}

// remove removes the files that are stored.
func (r *run) remove() error {
	stored, err := r.receipts.collect()
	for _, token := range stored {
		name := r.files[token]
		delete(r.files, token)
		delete(r.taken, name)
		if e := os.Remove(filepath.Join(r.Dir, name)); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("a reading is stored, and will come again: %w", e))
		}
	}
	return err
}

// settle waits for the receipts of what was taken, so that an ordinary stop brings no file again.
func (r *run) settle() error {
	late := time.After(settleWithin)
	for {
		if err := r.remove(); err != nil || len(r.files) == 0 {
			return err
		}
		select {
		case <-r.receipts.more:
		case <-late:
			return fmt.Errorf("%d readings were not stored in time; they stay in %s and come again", len(r.files), r.Dir)
		}
	}
}

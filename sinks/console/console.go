// Package console is the sink that prints rows on the terminal, as NDJSON or as tuples, under headings if wanted.
package console

import (
	"context"
	"fmt"
	"io"

	"edged"
)

// sink implements edged.Sink. It has no receipt: rows of a turn that was not committed are printed again.
type sink struct {
	out   io.Writer
	lines func(dst []byte, rows *edged.Rows) []byte
	heads *headings  // nil: none
	buf   []byte     // nil while a write has it
	busy  chan error // of a write whose turn was cancelled; nil if there is none
}

// Open begins with a heading again: what failed may not have been seen.
func (s *sink) Open(ctx context.Context, _ []byte, _ []edged.Delivery) error {
	if s.heads != nil {
		*s.heads = headings{}
	}
	return ctx.Err()
}

// Write prints a turn in one write. A terminal can be stopped (Ctrl-S) and a pipe can be full, and neither can be made to
// give up; so the write has a goroutine of its own, which a cancelled context leaves behind until the reader goes on.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	if err := s.idle(ctx); err != nil {
		return 0, nil, err
	}
	b := s.buf[:0]
	for i := range turn {
		if s.heads != nil {
			b = s.heads.append(b, turn[i].Rows, s.lines)
		} else {
			b = s.lines(b, turn[i].Rows)
		}
	}
	s.buf, s.busy = nil, make(chan error, 1)
	go write(s.out, b, s.busy)
	if err := s.idle(ctx); err != nil {
		return 0, nil, err
	}
	s.buf = b
	return len(turn), nil, nil
}

func write(out io.Writer, b []byte, done chan<- error) {
	_, err := out.Write(b)
	done <- err
}

// idle waits for the end of a write, if one is under way.
func (s *sink) idle(ctx context.Context) error {
	if err := ctx.Err(); err != nil || s.busy == nil {
		return err
	}
	select {
	case err := <-s.busy:
		s.busy = nil
		if err != nil {
			return fmt.Errorf("cannot print: %w; its rows wait in the store", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close leaves standard output open: it is not the sink's.
func (s *sink) Close() error { return nil }

package file

import (
	"cmp"
	"context"
	"edged/internal/durable"
	"errors"
	"io"
	"syscall"
	"time"

	"edged"
)

// append writes deliveries until the turn ends, the generation is full, or something is in the way; then it syncs, once.
func (s *sink) append(ctx context.Context, turn []edged.Delivery) (done int, committed []byte, err error) {
	t := &tally{w: s.file}
	p := s.point
	full, stop := s.fill(ctx, turn, t, &p)
	if err := s.lines.out.Flush(); err != nil {
		full, stop = false, fault("write", s.path, err)
	}
	done = len(s.ends)
	if t.err != nil {
		for done > 0 && s.ends[done-1] > s.state.length+t.n {
			done--
		}
		if !s.cut(done, t.err) {
			return 0, nil, stop
		}
	}
	if done > 0 {
		if err := s.sync(done, p.header); err != nil {
			return 0, nil, err
		}
	}
	switch {
	case full:
		s.retire()
	case done == 0:
		return 0, nil, stop
	}
	return done, s.state.encode(), stop
}

// fill writes deliveries from p on to the buffer in front of t, and leaves the lengths after each in s.ends. It reports
// whether the generation is full before the rest, or why the next one is not to be written. What is wrong with the
// writer below is left for Flush to say.
func (s *sink) fill(ctx context.Context, turn []edged.Delivery, t *tally, p *point) (full bool, stop error) {
	s.lines.out.Reset(t)
	s.ends = s.ends[:0]
	for i := range turn {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		rows := turn[i].Rows
		if !s.lines.takes(rows, *p) {
			return true, nil
		}
		if s.bound.max > 0 {
			n := s.measure(rows, *p, t)
			if full, err := s.bound.admit(p.length, n, s.path); full || err != nil {
				return full, err
			}
		}
		if s.lines.put(rows, p) != nil {
			return false, nil
		}
		s.ends = append(s.ends, p.length)
		if s.rotateSize > 0 && p.length >= s.rotateSize {
			return true, nil
		}
	}
	return false, nil
}

// measure is the number of bytes that rows would take at p. It borrows the buffer, which it empties first.
func (s *sink) measure(rows *edged.Rows, p point, t *tally) int64 {
	if s.lines.out.Flush() != nil {
		return 0
	}
	n := s.lines.size(rows, p)
	s.lines.out.Reset(t)
	return n
}

// cut takes back what follows delivery done, after a write that failed with cause. Only when there was no room is the
// file known to be sound. After anything else it is closed, cut reports false, and attach judges it anew.
func (s *sink) cut(done int, cause error) bool {
	length := s.state.length
	if done > 0 {
		length = s.ends[done-1]
	}
	if noRoom(cause) && s.file.Truncate(length) == nil {
		return true
	}
	s.drop()
	return false
}

// sync makes the first done deliveries durable and moves the state to their end. After a failed sync nobody knows what of
// the page cache is on disk, and a second sync would not say: the file is closed and its tail written again.
func (s *sink) sync(done int, header uint64) error {
	if err := durable.Sync(s.file); err != nil {
		s.drop()
		return fault("sync", s.path, err)
	}
	end := s.ends[done-1]
	s.meters.syncs.Inc()
	s.meters.bytes.Add(int(end - s.state.length))
	if s.state.began == 0 {
		s.state.began = time.Now().Unix()
	}
	s.state.length, s.state.header = end, header
	s.point = point{length: end, header: header}
	return nil
}

// noRoom reports whether a write failed for want of room: the disk, a quota, or the largest file allowed.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) ||
		errors.Is(err, io.ErrShortWrite)
}

// tally counts what reached the file, and remembers the first error.
type tally struct {
	w   io.Writer
	n   int64
	err error
}

func (t *tally) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.n += int64(n)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	t.err = cmp.Or(t.err, err)
	return n, err
}

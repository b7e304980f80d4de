package file

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"edged"
)

var errNotRegular = errors.New("it is not a regular file")

// attach makes sure that s.file is the file at path and that s.state and s.point describe it. It judges anew each time,
// because others may have renamed, removed or truncated the file since. redo is what an uncommitted turn may have begun
// to write. Whatever it finds or makes, it writes no row; if the committed receipt does not cover it, s.ahead is set.
func (s *sink) attach(redo []edged.Delivery) (err error) {
	if s.state.final != "" {
		if err := s.rotate(); err != nil || s.ahead {
			return err
		}
		defer func() {
			if err == nil {
				s.tend()
			}
		}()
	}
	at, err := s.fs.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.create()
	case err != nil:
		return fault("open", s.path, err)
	case !at.regular:
		return edged.WithClass(fault("open", s.path, errNotRegular), edged.Permanent)
	case at.inode != s.state.inode:
		return s.adopt()
	}
	running := s.file != nil // what was written to it so far is committed: a tail is not ours
	if !running {
		if at, err = s.open(0); err != nil {
			return err
		}
		if at.inode != s.state.inode {
			s.drop()
			return fault("open", s.path, errors.New("another file took its place at the same moment"))
		}
		s.point = point{length: s.state.length, header: s.state.header}
		if err := s.lookBack(min(at.size, s.state.length)); err != nil {
			return err
		}
	}
	switch {
	case at.size < s.state.length:
		return s.shorten(at.size)
	case at.size > s.state.length:
		return s.tail(at.size, redo, running)
	}
	return nil
}

// create makes the next generation, empty. Its first row waits until the receipt is committed.
func (s *sink) create() error {
	known := s.state.inode != 0
	if err := s.advance(); err != nil {
		return err
	}
	at, err := s.open(os.O_CREATE | os.O_EXCL)
	if err != nil {
		return err
	}
	if known {
		s.log.Warn("the sink's file is gone: somebody renamed or removed it; a new one is started", "path", s.path)
	}
	s.state.inode, s.ahead = at.inode, true
	s.point = point{}
	return nil
}

// adopt goes on at the end of a file that the receipt does not know.
func (s *sink) adopt() error {
	known := s.state.inode != 0
	if err := s.advance(); err != nil {
		return err
	}
	at, err := s.open(0)
	if err != nil {
		return err
	}
	s.state.inode, s.state.length, s.ahead = at.inode, at.size, true
	if at.size > 0 {
		s.state.began = time.Now().Unix()
		if s.csv {
			if s.state.header, err = firstLine(s.file); err != nil {
				s.drop()
				return fault("read", s.path, err)
			}
		}
	}
	switch {
	case known:
		s.log.Warn("another file has taken the place of the sink's file; rows are appended to it", "path", s.path, "bytes", at.size)
	case at.size > 0:
		s.log.Info("rows are appended to a file that was there before", "path", s.path, "bytes", at.size)
	}
	s.point = point{length: at.size, header: s.state.header}
	return s.lookBack(at.size)
}

// advance lets go of the file that the receipt knows and counts one generation on.
func (s *sink) advance() error {
	s.drop()
	next := s.state.generation
	switch {
	case s.state.generation == 0: // no receipt: closed files of an earlier store may be there
		last, err := s.closet.last()
		if err != nil {
			return fault("open", s.path, err)
		}
		next = last + 1
	case s.state.inode != 0:
		next++
	}
	s.state = receipt{generation: next}
	return nil
}

// shorten accepts that somebody has truncated the file.
func (s *sink) shorten(size int64) error {
	s.log.Warn("the sink's file is shorter than what was written to it: somebody truncated it; rows go on at its end",
		"path", s.path, "bytes", size, "written", s.state.length)
	s.state.length, s.ahead = size, true
	if size == 0 {
		s.state.began, s.state.header = 0, 0
	}
	s.point = point{length: size, header: s.state.header}
	return s.lookBack(size)
}

// lookBack finds out whether the byte before length ends a line.
func (s *sink) lookBack(length int64) error {
	s.point.ragged = false
	if length == 0 {
		return nil
	}
	var b [1]byte
	if _, err := s.file.ReadAt(b[:], length-1); err != nil {
		s.drop()
		return fault("read", s.path, err)
	}
	s.point.ragged = b[0] != '\n'
	return nil
}

// firstLine hashes the first line of a file that was there before. A line of more than 64 KiB is no header.
func firstLine(f io.ReaderAt) (uint64, error) {
	b := make([]byte, 64<<10)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	i := bytes.IndexByte(b[:n], '\n')
	return hashHeader(b[:i+1]), nil
}

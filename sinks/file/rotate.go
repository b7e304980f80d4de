package file

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"
)

// old reports whether the generation has reached its age. A first write in the future was stamped before the clock was set
// back; it counts from now.
func (s *sink) old(now time.Time) bool {
	if s.rotateAge <= 0 || s.state.length == 0 {
		return false
	}
	s.state.began = min(s.state.began, now.Unix())
	return now.Unix()-s.state.began >= int64(s.rotateAge/time.Second)
}

// retire states the intent to close this generation. Nothing more is written to it; the rename waits until the receipt
// that says so is committed.
func (s *sink) retire() { s.state.final = s.names.closed(time.Now(), s.state.generation) }

// rotate does what a committed intent says, or finds that it was done before a crash. A rename that is done is known by
// the inode that is no longer at path. The closed file is not touched before the next one exists, so that this inode
// cannot be given out again.
func (s *sink) rotate() error {
	taken, err := s.taken(s.state.final)
	if err != nil {
		return fault("rotate", s.path, err)
	}
	gone := false
	at, err := s.fs.Stat(s.path)
	switch {
	case err == nil && at.inode == s.state.inode && taken:
		s.state.generation++ // somebody's file has the name: another intent
		s.retire()
		s.ahead = true
		return nil
	case err == nil && at.inode == s.state.inode:
		s.drop()
		if err := s.fs.Rename(s.path, filepath.Join(filepath.Dir(s.path), s.state.final)); err != nil {
			return fault("rotate", s.path, err)
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fault("rotate", s.path, err)
	default:
		gone = !taken
	}
	if err := s.fs.SyncDir(filepath.Dir(s.path)); err != nil {
		return fault("rotate", s.path, err)
	}
	if gone {
		s.log.Warn("the sink's file is gone: somebody renamed or removed it before it could be closed", "path", s.path, "name", s.state.final)
	}
	s.drop()
	s.meters.rotations.Inc()
	s.state = receipt{generation: s.state.generation + 1}
	return nil
}

// taken reports whether a name for a closed file exists, compressed or not.
func (s *sink) taken(name string) (bool, error) {
	for _, ending := range append([]string{""}, endings...) {
		_, err := s.fs.Stat(filepath.Join(filepath.Dir(s.path), name+ending))
		if !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}

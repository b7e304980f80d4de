// Package durable writes whole files so that a crash or a power cut leaves the old text or the new one, never a part.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Replace puts data in the place of the file at path, and returns when that is on disk. A file that is there keeps its mode and
// its owner; where that is not possible it is an error, and nothing is changed. A new file gets the mode, whatever
// the umask. Behind a symbolic link it is the file that the link leads to that is replaced. Other hard links keep the old text.
//
// The errors say the path and what was not done.
func Replace(path string, data []byte, mode fs.FileMode) error {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		path = at
	} else if fi, lerr := os.Lstat(path); lerr == nil && fi.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s leads nowhere: %w", path, err)
	}
	old, err := os.Stat(path)
	switch {
	case err == nil && !old.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file, and is not replaced", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.new") // mode 0600: nobody else reads it while it is written
	if err != nil {
		return fmt.Errorf("%s cannot be written, because a new file beside it cannot: %w", path, err)
	}
	err = fill(f, data, old, mode)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("%s was not changed: %w", path, err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%s was replaced, but perhaps not yet on disk: %w", path, err)
	}
	return nil
}

// fill gives the new file its text, owner and mode, and syncs it. old is nil for a file that was not there.
func fill(f *os.File, data []byte, old fs.FileInfo, mode fs.FileMode) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if old != nil {
		if err := keepOwner(f, old); err != nil {
			return err
		}
		mode = old.Mode().Perm() // after the owner: chown takes bits away
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return Sync(f)
}

func keepOwner(f *os.File, old fs.FileInfo) error {
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if is, ok := now.Sys().(*syscall.Stat_t); ok && is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("its owner cannot be kept (run this as root, or as the owner): %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return Sync(d)
}

package blockstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Compact copies the store of a directory, which is not open, into a file of the size that it needs, and has that take its place. The
// store keeps its UUID, and all numbers. It returns the sizes. After an error, or a crash at any moment, the store is as it was, or
// compacted.
func Compact(dir string) (before, after int64, err error) {
	path, made := filepath.Join(dir, FileName), filepath.Join(dir, newName)
	f, err := openLocked(path)
	if err != nil {
		return 0, 0, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return 0, 0, err
	}
	if _, err := withdraw(f, fi.Size(), bootID()); err != nil {
		f.Close()
		return 0, 0, fmt.Errorf("the store %s is not compacted: %w", path, err)
	}
	if c := inspect(f, fi.Size()); c.count > 0 || c.newer != "" || fi.Size() == 0 {
		f.Close()
		return 0, 0, fmt.Errorf("the store %s is damaged (%s%s) and is not compacted: start edged, which salvages it, or do that yourself (edged store salvage)", path, c.why(), c.newer)
	}
	src, err := openDB(f, bbolt.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer src.Close() // holds the lock until the new file is in its place
	if err := os.Remove(made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, err
	}
	if err := copyDB(src, made, fi.Mode().Perm()); err != nil {
		_ = os.Remove(made)
		return 0, 0, fmt.Errorf("the store %s was not compacted: %w; nothing was changed", path, err)
	}
	now, err := os.Stat(made)
	if err != nil {
		return 0, 0, err
	}
	return fi.Size(), now.Size(), name(dir)
}

func copyDB(src *bbolt.DB, path string, mode fs.FileMode) (err error) {
	dst, err := newFile(path)
	if err != nil {
		return err
	}
	dst.AllocSize = pageSize
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
		err = errors.Join(err, dst.Close())
	}()
	if err := bbolt.Compact(dst, src, salvageBytes); err != nil {
		return err
	}
	dst.NoFreelistSync = false
	return errors.Join(dst.Update(func(*bbolt.Tx) error { return nil }), os.Chmod(path, mode))
}

// Salvage copies what can be read of a file, sound or damaged, into a new store.
func Salvage(from, to string) (n Note, err error) {
	a, err := OpenArchive(from)
	if err != nil {
		return n, err
	}
	defer a.Close()
	if a.condition.newer != "" {
		return n, fmt.Errorf("%s: %s", from, a.condition.newer)
	}
	if n, err = a.WriteTo(to, time.Now(), from); err != nil {
		return n, fmt.Errorf("%s cannot be salvaged to %s: %w", from, to, err)
	}
	return n, syncDir(filepath.Dir(to))
}

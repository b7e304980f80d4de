package file

import (
	"edged/internal/durable"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is the file system of the machine.
type disk struct{}

const maxLinks = 40 // as Linux; more is a loop

func (disk) Resolve(path string) (string, error) {
	for range maxLinks {
		at, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && at.Mode()&fs.ModeSymlink == 0:
			return path, nil
		case err != nil:
			return "", err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
}

func (disk) Stat(path string) (stat, error) { return statOf(os.Stat(path)) }

func (disk) Open(path string, flag int) (handle, error) {
	f, err := os.OpenFile(path, flag, 0o640)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) Rename(from, to string) error { return os.Rename(from, to) }

func (disk) Remove(path string) error { return os.Remove(path) }

func (disk) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// SyncDir passes over file systems that cannot sync a directory and say so (EINVAL): those write it through.
func (disk) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := durable.Sync(f); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

type diskFile struct{ *os.File }

func (f diskFile) Stat() (stat, error) { return statOf(f.File.Stat()) }

func statOf(at fs.FileInfo, err error) (stat, error) {
	if err != nil {
		return stat{}, err
	}
	s := stat{size: at.Size(), regular: at.Mode().IsRegular()}
	if sys, ok := at.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s, nil
}

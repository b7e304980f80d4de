package blockstore

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"edged/internal/durable"

	"go.etcd.io/bbolt"
)

// The steps by which a file takes the place of the store, so that a crash between any two of them loses nothing and the next start
// goes on: the new file is written whole and synced under newName; the old one, if there is one, gets its other name, and that is synced; the new one
// gets the store's name. A new file is complete when it has its meta bucket. While there is a file with the store's name, one under newName is of
// no use.
const newName = FileName + ".new"

// takeFile returns the store's file, locked, and sound as far as the library believes without looking. It makes the file, or salvages
// what is in its place.
func takeFile(dir string, log *slog.Logger) (*os.File, error) {
	path := filepath.Join(dir, FileName)
	for range 10 {
		f, err := openLocked(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := begin(dir, log); err != nil {
				return nil, err
			}
			continue
		case errors.Is(err, errNotRegular):
			if err := replaceDamaged(dir, nil, log); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, err
		}
		if err := os.Remove(filepath.Join(dir, newName)); err == nil {
			log.Info("a file that was to take the store's place was not finished; it is removed, and made again if it is needed", "file", newName)
		}
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if cut, err := withdraw(f, fi.Size(), bootID()); err != nil {
			f.Close()
			return nil, fmt.Errorf("the store %s cannot be opened: %w", path, err)
		} else if cut {
			log.Warn("the last commit of the store is not whole on disk, as after a kill or a power failure amid it: nothing of it was acknowledged then, and it is taken back", "file", path)
		}
		c := inspect(f, fi.Size())
		if fi.Size() == 0 {
			c.why0("it is empty")
		}
		switch {
		case c.newer != "":
			f.Close()
			return nil, fmt.Errorf("the store %s cannot be opened: %s: install the newer edged again, or give this one another data_dir", path, c.newer)
		case c.count == 0:
			return f, nil
		}
		log.Error("the store is damaged: what can be read of it is copied to a new one", "file", path, "bytes", fi.Size(), "damage", c.why())
		err = replaceDamaged(dir, f, log)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the store %s cannot be opened: another program changes it", path)
}

// openLocked opens and locks the file that has the name now.
func openLocked(path string) (*os.File, error) {
	fi, err := os.Stat(path)
	if err != nil {
		if at, lerr := os.Lstat(path); lerr == nil && at.Mode()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the store %s is a link that leads nowhere: is a disk not mounted?", path)
		}
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("the store cannot be opened: %w", err)
	}
	if err := lock(f, true); err != nil {
		f.Close()
		return nil, inUse(path, err)
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(fi, now) {
		f.Close()
		return openLocked(path)
	}
	return f, nil
}

func inUse(path string, err error) error {
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("the store %s is in use: %w (systemctl status edged)", path, ErrInUse)
	}
	return fmt.Errorf("the store %s cannot be locked: %w", path, err)
}

// ErrInUse is the error when another process has the store open.
var ErrInUse = errors.New("is another edged running with this data_dir?")

// lock locks a file as the library does. Who wants it alone waits for at most a second: somebody may be reading it.
func lock(f *os.File, exclusive bool) (err error) {
	how, tries := syscall.LOCK_SH, 1
	if exclusive {
		how, tries = syscall.LOCK_EX, 20
	}
	for range tries {
		if err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// begin makes a store where there is none: the one that an interrupted replacement has left, or an empty one.
func begin(dir string, log *slog.Logger) error {
	made := filepath.Join(dir, newName)
	if fi, err := os.Stat(made); err == nil && fi.Mode().IsRegular() && complete(made) {
		log.Info("the file that was to take the store's place does so now", "file", made)
		return name(dir)
	}
	if err := os.Remove(made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the store cannot be made: %w", err)
	}
	db, err := newFile(made)
	if err != nil {
		return fmt.Errorf("the store cannot be made: %w", err)
	}
	if err := errors.Join(makeMeta(db, newMeta()), db.Close()); err != nil {
		_ = os.Remove(made)
		return fmt.Errorf("the store cannot be made: %w", err)
	}
	return name(dir)
}

// complete reports whether a new file is.
func complete(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return false
	}
	c := inspect(f, fi.Size())
	return c.count == 0 && c.newer == ""
}

// name gives the new file the store's name.
func name(dir string) error {
	if err := os.Rename(filepath.Join(dir, newName), filepath.Join(dir, FileName)); err != nil {
		return fmt.Errorf("the store cannot be made: %w", err)
	}
	return syncDir(dir)
}

// replaceDamaged salvages the store's file f into a new one and sets the old one aside. Without f there is no file to read.
func replaceDamaged(dir string, f *os.File, log *slog.Logger) error {
	path, made := filepath.Join(dir, FileName), filepath.Join(dir, newName)
	now := time.Now()
	aside := freeName(path + ".corrupt-" + now.UTC().Format("20060102T150405Z"))
	a := &Archive{condition: condition{}, cursorsWhole: false}
	a.condition.why0("it is a directory, or something else that is no file")
	if f != nil {
		var err error
		if a, err = readArchive(f, true); err != nil {
			return fmt.Errorf("the damaged store %s cannot be read: %w", path, err)
		}
		if a.size == 0 {
			a.condition.why0("it is empty")
		}
	}
	if err := os.Remove(made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the damaged store %s cannot be salvaged: %w; nothing was changed", path, err)
	}
	n, err := a.WriteTo(made, now, aside)
	if err != nil {
		return fmt.Errorf("the store %s is damaged (%s), and what can be read of it cannot be copied beside it: %w; nothing was changed: "+
			"make room on that disk (up to %d MiB), then start edged again", path, a.Why(), err, a.size>>20+1)
	}
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("the damaged store %s cannot be set aside: %w; nothing was changed", path, err)
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if err := name(dir); err != nil {
		return err
	}
	log.Error(n.Sentence())
	return nil
}

// freeName returns a name that nothing has yet.
func freeName(path string) string {
	for i, p := 2, path; ; i++ {
		if _, err := os.Lstat(p); errors.Is(err, fs.ErrNotExist) {
			return p
		}
		p = fmt.Sprintf("%s-%d", path, i)
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return durable.Sync(d)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// openDB gives the file to the library.
func openDB(f *os.File, o bbolt.Options) (*bbolt.DB, error) {
	o.Timeout, o.PageSize, o.NoFreelistSync, o.FreelistType, o.NoSync = time.Second, pageSize, true, bbolt.FreelistMapType, !durable.Syncs
	o.OpenFile = func(string, int, os.FileMode) (*os.File, error) { return f, nil }
	return bbolt.Open(f.Name(), 0o640, &o)
}

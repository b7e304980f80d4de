package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"edged/internal/conf"
	"edged/sinks/spec"
)

// checkPath reports a path at which no file can be made or written. data_dir itself is made and judged by the daemon.
func (c *Config) checkPath(t *conf.Table, env spec.Env) {
	switch {
	case c.Path == "":
		t.Errorf("path", "[%s] needs path: the file to append to", t.Title())
		return
	case strings.HasSuffix(c.Path, "/"):
		t.Errorf("path", "path: %q is a directory, want a file", c.Path)
		return
	}
	for _, ending := range endings {
		if strings.HasSuffix(c.Path, ending) {
			t.Errorf("path", "path: %q ends like a compressed file; only closed files are compressed, and get the ending then", c.Path)
			return
		}
	}
	path, err := disk{}.Resolve(c.absolute(env))
	if err != nil {
		t.Placef("path", "path: %v", refused(c.absolute(env), err))
		return
	}
	dir := filepath.Dir(path)
	own := dir == filepath.Clean(env.DataDir)
	if at, err := os.Stat(dir); err != nil || !at.IsDir() {
		if !own {
			t.Placef("path", "path: the directory %s %s; make it, or correct the path", dir, whyNot(err))
		}
		return
	}
	at, err := os.Stat(path)
	switch {
	case err == nil && !at.Mode().IsRegular():
		err = errNotRegular
	case err == nil:
		err = syscall.Access(path, readWrite)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err == nil && !own {
		err = syscall.Access(dir, readWrite|search)
	}
	if err != nil {
		t.Placef("path", "path: %v", refused(path, err))
	}
}

// The modes of access(2), the same everywhere.
const (
	readWrite = 4 | 2 // R_OK | W_OK
	search    = 1     // X_OK
)

func refused(path string, err error) error {
	cause := bare(err)
	return fmt.Errorf("cannot write %s: %w%s", path, cause, remedy(cause, path))
}

func whyNot(err error) string {
	switch {
	case err == nil:
		return "is no directory"
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	}
	return "cannot be used (" + bare(err).Error() + ")"
}

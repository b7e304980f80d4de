package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// beside begins the name of the directory in which a socket gets its owner and mode.
const beside = ".edged"

// bound is a listening socket of the file system.
type bound struct {
	l    *net.UnixListener
	path string
	file fs.FileInfo
}

// bind listens at a path. The socket is made in a directory that only this user can enter, gets its owner and mode there,
// and is then moved to its place: there is no moment in which more can connect than shall. (The umask would do too, but is the
// whole process's.)
//
// Two processes that find the same leftover in the same microseconds may both take its place; one of them is then not
// reached.
func bind(a Address) (*bound, error) {
	before, err := vacant(a)
	if err != nil {
		return nil, err
	}
	uid, gid, err := owner(a.User, a.Group)
	if err != nil {
		return nil, fmt.Errorf("broker: cannot listen on %s: %w", a, err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(a.Path), beside)
	if err != nil {
		return nil, bindError(a, err)
	}
	defer os.RemoveAll(dir)
	first := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, bindError(a, err)
	}
	l.SetUnlinkOnClose(false) // by then it is elsewhere
	b := &bound{l: l, path: a.Path}
	if err := b.place(a, first, uid, gid, before); err != nil {
		_ = l.Close()
		return nil, err
	}
	return b, nil
}

func (b *bound) place(a Address, first string, uid, gid int, before fs.FileInfo) error {
	if uid >= 0 || gid >= 0 {
		if err := os.Chown(first, uid, gid); err != nil {
			return fmt.Errorf("broker: cannot give %s to user %q and group %q: a user can give it only to a group that it is in: %w", a.Path, a.User, a.Group, err)
		}
	}
	if err := os.Chmod(first, a.Mode); err != nil {
		return bindError(a, err)
	}
	var err error
	if b.file, err = os.Lstat(first); err != nil {
		return bindError(a, err)
	}
	now, err := os.Lstat(a.Path)
	if (before == nil) != (err != nil) || before != nil && !os.SameFile(before, now) {
		return fmt.Errorf("broker: cannot listen on %s: something else has just appeared or disappeared there, perhaps another edged that starts too", a)
	}
	if err := os.Rename(first, a.Path); err != nil {
		return bindError(a, err)
	}
	return nil
}

// vacant reports whether the path can be taken: nothing is there, or a socket on which nobody listens, which is returned.
func vacant(a Address) (fs.FileInfo, error) {
	there, err := os.Lstat(a.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, bindError(a, err)
	case there.Mode()&fs.ModeType != fs.ModeSocket:
		return nil, fmt.Errorf("broker: cannot listen on %s: there is something at this path that is no socket; remove it, or choose another path under listen in [broker]", a)
	}
	c, err := net.DialTimeout("unix", a.Path, time.Second)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED): // connect(2): nobody listens
		return there, nil
	case err == nil:
		_ = c.Close()
	case !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, os.ErrDeadlineExceeded): // unix(7): somebody is, and is busy
		return nil, fmt.Errorf("broker: cannot find out whether the socket %s is in use; remove it if it is not: %w", a.Path, err)
	}
	return nil, fmt.Errorf("broker: the socket %s is in use by another program, perhaps another edged: stop it, or choose another path under listen in [broker]", a.Path)
}

// unlink removes the socket, if it is still the one that was bound. The caller still listens on it: so nobody takes the path for
// vacant meanwhile, and the file system does not use the inode's number again.
func (b *bound) unlink() {
	if now, err := os.Lstat(b.path); err == nil && os.SameFile(now, b.file) {
		_ = os.Remove(b.path)
	}
}

func bindError(a Address, err error) error {
	dir := filepath.Dir(a.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("broker: cannot listen on %s: there is no directory %s: create it, or choose another path under listen in [broker]", a, dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("broker: cannot listen on %s: this user may not write to %s: correct its owner, or choose another path under listen in [broker]", a, dir)
	}
	return fmt.Errorf("broker: cannot listen on %s: %w", a, err)
}

package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"edged"
)

// fault says what could not be done to which file, what happens to its rows, and what to do about it. It stays retryable:
// a disk may come back, and a permission.
func fault(doing, path string, err error) error {
	cause := bare(err)
	todo := remedy(cause, path)
	err = fmt.Errorf("cannot %s %s: %w; its rows wait in the store%s", doing, path, cause, todo)
	return edged.Explain(err, fmt.Sprintf("cannot %s %s: %v", doing, path, cause), strings.TrimPrefix(todo, "; "))
}

// bare takes off the path that package os puts around an error.
func bare(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	if le := (*os.LinkError)(nil); errors.As(err, &le) {
		return le.Err
	}
	return err
}

func remedy(cause error, path string) string {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(cause, syscall.ENOSPC):
		return "; make room on the file system of " + dir
	case errors.Is(cause, syscall.EDQUOT):
		return "; the quota of edged's user is used up"
	case errors.Is(cause, syscall.EFBIG):
		return "; the file cannot grow further here: set rotate_size"
	case errors.Is(cause, syscall.EROFS):
		return "; it is read-only for edged: under systemd add ReadWritePaths=" + dir + " to the unit (systemctl edit edged), else remount it"
	case errors.Is(cause, fs.ErrPermission):
		return "; edged's user must be able to read and write the file and its directory"
	case errors.Is(cause, fs.ErrNotExist):
		return "; the directory " + dir + " must exist"
	case errors.Is(cause, syscall.EIO):
		return "; the disk reports an error: see dmesg"
	case errors.Is(cause, errNotRegular), errors.Is(cause, syscall.EISDIR):
		return "; give path the name of a file"
	}
	return ""
}

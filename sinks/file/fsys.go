package file

import "io"

// fsys is the part of a file system that the sink uses. The sink's tests put one in its place whose k-th operation fails
// or is the last before a power cut. Errors are those of package os.
type fsys interface {
	// Resolve follows the symbolic links at the end of a path; the last of them may point to nothing.
	Resolve(path string) (string, error)
	Stat(path string) (stat, error)
	// Open takes the flags of os.OpenFile. A new file gets mode 0640 before umask.
	Open(path string, flag int) (handle, error)
	Rename(from, to string) error
	Remove(path string) error
	// List returns the names in a directory, sorted.
	List(dir string) ([]string, error)
	// SyncDir makes what was created, renamed and removed in a directory durable.
	SyncDir(dir string) error
}

// handle is an open file.
type handle interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	Stat() (stat, error)
	Truncate(size int64) error
	Sync() error
}

type stat struct {
	inode   uint64
	size    int64
	regular bool
}

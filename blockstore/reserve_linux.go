package blockstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// allocate gives the bytes [from, to) of a file blocks of the disk, those that have none, and makes it so long.
func allocate(f *os.File, from, to int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, from, to-from)
		if err != unix.EINTR {
			return err
		}
	}
}

package blockstore

import (
	"os"

	"edged/internal/durable"

	"golang.org/x/sys/unix"
)

// syncData is durable.Sync for the store's own pages: of the file's times nothing need be on disk.
func syncData(f *os.File) error {
	if !durable.Syncs {
		return nil
	}
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

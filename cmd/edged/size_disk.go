package main

import (
	"math"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeBytes is what is free on the file system of a directory, or of the nearest one above that is there; -1 if nobody says.
func freeBytes(dir string) int64 {
	for {
		var fs unix.Statfs_t
		if err := unix.Statfs(dir, &fs); err == nil {
			unit := int64(fs.Bsize)
			return int64(min(uint64(fs.Bavail), math.MaxInt64/uint64(unit))) * unit
		}
		above := filepath.Dir(dir)
		if above == dir {
			return -1
		}
		dir = above
	}
}

package exec

import (
	"os"

	"golang.org/x/sys/unix"
)

// unread is how many bytes in a pipe nobody has read yet.
func unread(f *os.File) (n int) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = c.Control(func(fd uintptr) {
		if n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ); err != nil {
			n = 0
		}
	})
	return n
}

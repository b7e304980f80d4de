//go:build !linux

package remote

import (
	"syscall"
	"time"
)

// userTimeout is nil where the kernel has no such option: the ping timeout is what is left.
func userTimeout(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }

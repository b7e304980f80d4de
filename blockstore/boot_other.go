//go:build !linux

package blockstore

import "time"

var started = time.Now()

// bootID is not known here.
func bootID() (id [16]byte) { return id }

// monotonic is the time since this process started, in nanoseconds.
func monotonic() int64 { return int64(time.Since(started)) }

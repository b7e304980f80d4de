package blockstore

import (
	"encoding/hex"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// bootID names this run of the computer; zeros if the system does not say.
func bootID() (id [16]byte) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err == nil {
		_, _ = hex.Decode(id[:], []byte(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")))
	}
	return id
}

// monotonic is the time since the computer started, in nanoseconds, sleep included.
func monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

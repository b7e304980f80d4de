package daemon

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"edged/internal/conf"
)

// trust remembers for a second whether the wall clock is synchronised: it is asked for every block.
type trust struct {
	ask func() bool
	mu  sync.Mutex
	at  time.Time
	is  bool
}

func newTrust(ask func() bool) *trust { return &trust{ask: ask} }

func (t *trust) get() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.at) > time.Second || t.at.IsZero() {
		t.at, t.is = time.Now(), t.ask()
	}
	return t.is
}

// limitMemory sets the soft memory limit, unless GOMEMLIMIT says otherwise: auto is half of what the machine or the cgroup
// has, at most 512 MiB.
func limitMemory(limit conf.AutoSize) {
	if os.Getenv("GOMEMLIMIT") != "" && limit.Auto {
		return
	}
	n := limit.Bytes
	if limit.Auto {
		n = min(512<<20, availableMemory()/2)
	}
	if n > 0 {
		debug.SetMemoryLimit(n)
	}
}

// availableMemory is the smallest of the machine's memory and the cgroup's limits; 0 if nobody says.
func availableMemory() int64 {
	best := int64(0)
	note := func(n int64) {
		if n > 0 && (best == 0 || n < best) {
			best = n
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
				kb, _ := strconv.ParseInt(f[1], 10, 64)
				note(kb << 10)
			}
		}
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				note(n)
			}
		}
	}
	return best
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func joinLines(list []string) string { return strings.Join(list, "\n") }

package daemon

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"edged/internal/conf"
	"edged/sinks/delivery"
)

// limitMemory sets the soft memory limit, unless GOMEMLIMIT says otherwise: auto is half of what the machine or the cgroup
// has, at most 512 MiB. It returns the limit, 0 if it is somebody else's.
func limitMemory(limit conf.AutoSize) int64 {
	if os.Getenv("GOMEMLIMIT") != "" && limit.Auto {
		return 0
	}
	n := limit.Bytes
	if limit.Auto {
		n = min(512<<20, availableMemory("")/2)
	}
	if n > 0 {
		debug.SetMemoryLimit(n)
	}
	return n
}

// littleMemory is a memory limit with which the cache of recent blocks has to be smaller than configured, and what a sink takes at once
// smaller than it would: everything else that is bounded by itself needs the rest.
const littleMemory = 64 << 20

// cacheWithin is the size of the cache of recent blocks under a memory limit.
func cacheWithin(limit int64, cache conf.Size) conf.Size {
	if limit <= 0 || limit > littleMemory {
		return cache
	}
	return min(cache, conf.Size(max(limit/8, 1<<20)))
}

// besideTheCache is what lives in the heap of a gateway under load beside the cache of recent blocks, and may be allocated until it is collected: blocks that
// are on their way into the file, rows on their way into sinks, buffers of connections, a little state of windows.
const besideTheCache = 32 << 20

// usualHeap is the heap's usual size (internal/headroom) with such a cache. What waits for the store takes room of that cache, too.
func usualHeap(cache conf.Size) int64 { return int64(cache) + besideTheCache }

// turnWithin bounds what a sink takes at once under a memory limit: a delivery, and a turn of them. Rows in memory are three times as long as when they are
// written, about, and all sinks that lag behind hold theirs at the same time.
func turnWithin(limit int64, o *delivery.Options) {
	if limit > 0 && limit <= littleMemory {
		o.TurnBytes = max(limit/32, 64<<10)
		o.Limits.Bytes = min(o.Limits.Bytes, o.TurnBytes/2)
	}
}

// availableMemory is the smallest of the machine's memory and the limits of the process's cgroup and those around it; 0 if
// nobody says. root is "" outside of tests.
func availableMemory(root string) int64 {
	best := int64(0)
	note := func(n int64) {
		if n > 0 && (best == 0 || n < best) {
			best = n
		}
	}
	for _, line := range lines(root + "/proc/meminfo") {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			note(kb << 10)
		}
	}
	for _, line := range lines(root + "/proc/self/cgroup") { // hierarchy:controllers:path (cgroups(7))
		f := strings.SplitN(line, ":", 3)
		if len(f) < 3 {
			continue
		}
		base, file := root+"/sys/fs/cgroup", "memory.max"
		if f[1] != "" {
			if !strings.Contains(","+f[1]+",", ",memory,") {
				continue
			}
			base, file = base+"/memory", "memory.limit_in_bytes"
		}
		for dir := filepath.Clean("/" + f[2]); ; dir = filepath.Dir(dir) {
			for _, text := range lines(filepath.Join(base, dir, file)) {
				n, _ := strconv.ParseInt(text, 10, 64) // "max" is no number
				note(n)
			}
			if dir == "/" {
				break
			}
		}
	}
	return best
}

func lines(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return splitLines(strings.TrimSpace(string(text)))
}

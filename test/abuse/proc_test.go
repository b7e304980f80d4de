package abuse

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// anonKiB is the memory of a process that no file backs; 0 if there is no such process. The store's mapping is not in it.
func anonKiB(pid int) (kib int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			fmt.Sscan(rest, &kib)
		}
	}
	return kib
}

// openFiles is the number of file descriptors of a process.
func openFiles(pid int) int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(all)
}

// most looks at the memory of the target again and again until the function is called, which returns the most it saw, in KiB.
func (tg *target) most() func() int {
	if tg.gw == nil {
		return func() int { return 0 }
	}
	done, out, pid := make(chan struct{}), make(chan int), tg.gw.PID()
	go func() {
		for most := 0; ; {
			most = max(most, anonKiB(pid))
			select {
			case <-done:
				out <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() int {
		close(done)
		return <-out
	}
}

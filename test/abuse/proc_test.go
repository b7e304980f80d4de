package abuse

import (
	"fmt"
	"os"
	"strings"
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

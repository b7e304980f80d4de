package abuse

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"edged/test/need"
)

// memoryGroup makes a cgroup (version 1) with a memory limit, and returns its folder and what has to stand before a command
// to run it in there, with the same process id. It needs root.
func memoryGroup(t *testing.T, limit int) (dir string, wrap []string) {
	t.Helper()
	dir = filepath.Join("/sys/fs/cgroup/memory", fmt.Sprintf("edged-test-%d", os.Getpid()))
	if os.Getuid() != 0 {
		need.Missing(t, "a memory limit needs root")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		need.Missing(t, fmt.Sprintf("no memory cgroup of version 1 can be made: %v", err))
	}
	t.Cleanup(func() { _ = os.Remove(dir) }) // after the process has ended
	if err := os.WriteFile(filepath.Join(dir, "memory.limit_in_bytes"), []byte(strconv.Itoa(limit)), 0o644); err != nil {
		t.Fatal(err)
	}
	enter := fmt.Sprintf(`echo $$ > %s/cgroup.procs && exec "$@"`, dir)
	return dir, []string{need.Tool(t, "sh"), "-c", enter, "sh"}
}

// groupFigure reads a number of a cgroup.
func groupFigure(t *testing.T, dir, file string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

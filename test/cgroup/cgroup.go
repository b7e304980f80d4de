// Package cgroup makes memory cgroups (version 1) for tests, so that a process can be run in little memory. It needs root.
package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"edged/test/need"
)

// Group is a cgroup with a memory limit. It is removed when the test ends, after its processes.
type Group struct {
	Dir  string
	Wrap []string // to be put before a command: runs it in there, with the same process id
}

var made atomic.Int64

// Memory makes a group with a limit in bytes, the kernel's share for files and sockets included. The test is skipped where none can be made.
func Memory(t testing.TB, limit int) *Group {
	t.Helper()
	if os.Getuid() != 0 {
		need.Missing(t, "a memory limit needs root")
	}
	g := &Group{Dir: filepath.Join("/sys/fs/cgroup/memory", fmt.Sprintf("edged-test-%d-%d", os.Getpid(), made.Add(1)))}
	if err := os.Mkdir(g.Dir, 0o755); err != nil {
		need.Missing(t, fmt.Sprintf("no memory cgroup of version 1 can be made: %v", err))
	}
	t.Cleanup(func() { _ = os.Remove(g.Dir) })
	if err := os.WriteFile(filepath.Join(g.Dir, "memory.limit_in_bytes"), []byte(strconv.Itoa(limit)), 0o644); err != nil {
		t.Fatal(err)
	}
	enter := fmt.Sprintf(`echo $$ > %s/cgroup.procs && exec "$@"`, g.Dir)
	g.Wrap = []string{need.Tool(t, "sh"), "-c", enter, "sh"}
	return g
}

// Figure reads a number: memory.max_usage_in_bytes, memory.failcnt.
func (g *Group) Figure(t testing.TB, file string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.Dir, file))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Killed is how often the kernel has killed a process of the group for want of memory; -1 if it does not say.
func (g *Group) Killed(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.Dir, "memory.oom_control"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			killed, err := strconv.Atoi(strings.TrimSpace(n))
			if err != nil {
				t.Fatal(err)
			}
			return killed
		}
	}
	return -1
}

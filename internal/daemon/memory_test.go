package daemon

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheMemoryIsThatOfTheCgroup(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"a machine":             {map[string]string{"proc/meminfo": "MemTotal:  1000 kB\n"}, 1000 << 10},
		"MemoryMax= of a unit":  {map[string]string{"proc/meminfo": "MemTotal: 1000 kB", "proc/self/cgroup": "0::/system.slice/edged.service\n", "sys/fs/cgroup/system.slice/edged.service/memory.max": "65536\n"}, 65536},
		"no limit of its own":   {map[string]string{"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/b/memory.max": "max", "sys/fs/cgroup/a/memory.max": "4096"}, 4096},
		"the older hierarchies": {map[string]string{"proc/self/cgroup": "9:cpu,memory:/u\n1:name=systemd:/x\n", "sys/fs/cgroup/memory/u/memory.limit_in_bytes": "8192"}, 8192},
		"nobody says":           {nil, 0},
	} {
		root := t.TempDir()
		for path, text := range c.files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := availableMemory(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

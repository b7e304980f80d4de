package daemon

import (
	"edged/internal/conf"
	"edged/sinks/spec"
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

func TestTheCacheFitsLittleMemory(t *testing.T) {
	for _, c := range []struct {
		limit      int64
		cache, fit conf.Size
	}{
		{0, 16 << 20, 16 << 20},
		{256 << 20, 200 << 20, 200 << 20},
		{32 << 20, 16 << 20, 4 << 20},
		{32 << 20, 2 << 20, 2 << 20},
		{4 << 20, 16 << 20, 1 << 20},
	} {
		if got := cacheWithin(c.limit, c.cache); got != c.fit {
			t.Errorf("with %d MiB a cache of %v is %v, want %v", c.limit>>20, c.cache, got, c.fit)
		}
	}
}

func TestWhatASinkTakesAtOnceFitsLittleMemory(t *testing.T) {
	l := spec.Limits{Rows: 50_000, Bytes: 4 << 20}
	for limit, want := range map[int64]int64{0: 4 << 20, 256 << 20: 4 << 20, 32 << 20: 512 << 10, 1 << 20: 64 << 10} {
		if got := turnWithin(limit, l); got.Bytes != want || got.Rows != l.Rows {
			t.Errorf("with %d MiB a sink takes %+v at once, want %d bytes", limit>>20, got, want)
		}
	}
	if got := turnWithin(32<<20, spec.Limits{Bytes: 1000}); got.Bytes != 1000 {
		t.Errorf("a sink that takes little takes %d bytes", got.Bytes)
	}
}

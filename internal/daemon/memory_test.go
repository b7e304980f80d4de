package daemon

import (
	"edged/internal/conf"
	"edged/sinks/delivery"
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
	for limit, want := range map[int64][2]int64{0: {4 << 20, 0}, 256 << 20: {4 << 20, 0}, 32 << 20: {512 << 10, 1 << 20}, 1 << 20: {32 << 10, 64 << 10}} {
		o := delivery.Options{Limits: spec.Limits{Rows: 50_000, Bytes: 4 << 20}}
		if turnWithin(limit, &o); o.Limits.Bytes != want[0] || o.TurnBytes != want[1] || o.Limits.Rows != 50_000 {
			t.Errorf("with %d MiB a sink takes %+v at once, and %d bytes in a turn; want %d", limit>>20, o.Limits, o.TurnBytes, want)
		}
	}
	o := delivery.Options{Limits: spec.Limits{Bytes: 1000}}
	if turnWithin(32<<20, &o); o.Limits.Bytes != 1000 {
		t.Errorf("a sink that takes little takes %d bytes", o.Limits.Bytes)
	}
}

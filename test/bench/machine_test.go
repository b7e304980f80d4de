package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// machine describes what it was measured on, without a name or a path of it.
func machine(t *testing.T) []string {
	model, memory, kernel := "unknown", 0.0, "unknown"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" || strings.TrimSpace(name) == "Model" {
				model = strings.TrimSpace(value)
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		_, _ = fmt.Sscanf(string(text), "MemTotal: %f", &memory)
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		kernel = unix.ByteSliceToString(name.Release[:])
	}
	sync, files := disk(t)
	return []string{
		fmt.Sprintf("%s/%s, %s, %d processors, %.1f GiB of memory, kernel %s, %s", runtime.GOOS, runtime.GOARCH, model, runtime.NumCPU(), memory/(1<<20), kernel, runtime.Version()),
		fmt.Sprintf("disk: %s, a write of 4 KiB with fdatasync takes %.2f ms (median of 200)", files, sync),
	}
}

// disk measures what a sync costs where the stores will be.
func disk(t *testing.T) (milliseconds float64, files string) {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var took []float64
	page := make([]byte, 4096)
	for i := range 200 {
		began := time.Now()
		if _, err := f.WriteAt(page, int64(i)*4096); err != nil {
			t.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			t.Fatal(err)
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	files = "unknown file system"
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) == nil {
		names := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.TMPFS_MAGIC: "tmpfs, which is no disk", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs"}
		if n := names[int64(st.Type)]; n != "" {
			files = n
		}
	}
	return median(took), files
}

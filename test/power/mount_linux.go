package power

import (
	"testing"

	"golang.org/x/sys/unix"
)

func mount(t testing.TB, root string) {
	t.Helper()
	if err := unix.Mount("edged-power", root, "tmpfs", 0, "size=256m,mode=0755"); err != nil {
		t.Fatalf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", root, err)
		}
	})
}

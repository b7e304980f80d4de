package need

import (
	"os"
	"testing"
)

// Root skips the test unless it runs as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "only root can do what it needs")
	}
}

package need

import (
	"os"
	"testing"
)

// Root skips the test unless it runs as root, which may mount.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "it takes root")
	}
}

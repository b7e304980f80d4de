//go:build linux

package machine

import (
	"os"
	"testing"

	"edged/test/harness"
)

func TestMain(m *testing.M) {
	if os.Getpid() == 1 {
		boot()
	}
	harness.Main(m)
}

// all reports whether the long forms run (make test-faults, make test-all).
func all() bool { return os.Getenv("EDGED_TEST") == "all" }

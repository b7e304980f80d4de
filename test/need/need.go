// Package need says what a test needs beyond Go. Where it is missing the test is skipped, and the last line of the test
// run says so; with EDGED_REQUIRE_ALL=1, as in CI, it fails.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Tool returns the path of a program, looked for in PATH and in /usr/sbin.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if path := "/usr/sbin/" + name; executable(path) {
		return path
	}
	Missing(t, name+" is not installed (make test-deps, make test-machine-deps)")
	return ""
}

func executable(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode()&0o111 != 0
}

// Missing skips the test for a reason, or fails it if everything is required.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("EDGED_REQUIRE_ALL") == "1" {
		t.Fatalf("%s, and EDGED_REQUIRE_ALL=1", reason)
	}
	Impossible(t, reason)
}

// Impossible skips the test for a reason that nothing which could be installed would mend. The last line of the test run says so.
func Impossible(t testing.TB, reason string) {
	t.Helper()
	if path := os.Getenv("EDGED_SKIPPED"); path != "" {
		if f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			fmt.Fprintf(f, "%s: %s\n", t.Name(), reason)
			f.Close()
		}
	}
	t.Skip(reason)
}

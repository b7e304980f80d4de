//go:build linux

package machine

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"edged/test/harness"
)

// programs puts what runs in the machine into its shared directory: this test, the gateway, built with tags too, and the load.
func programs(t *testing.T, dir string, tags []string) {
	t.Helper()
	self := exec.Command("go", "test", "-c", "-o", filepath.Join(dir, "machine.test"), ".")
	self.Env = append(os.Environ(), "CGO_ENABLED=0") // the machine may have other C libraries
	if out, err := self.CombinedOutput(); err != nil {
		t.Fatalf("building this test: %v\n%s", err, out)
	}
	for _, tag := range append([]string{""}, tags...) {
		link(t, harness.Variant(t, "edged/cmd/edged", tag), dir, "edged"+tag)
	}
	link(t, harness.Binary(t, "edged/test/mqttload"), dir, "mqttload")
}

func link(t *testing.T, from, dir, name string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o755); err != nil {
		t.Fatal(err)
	}
}

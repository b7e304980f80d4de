package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"edged/test/harness"
	"edged/test/need"
)

// What make install puts into a root is a unit that systemd understands in that root, and finds well shut in; a second
// install keeps the configuration, and uninstall leaves it.
func TestInstall(t *testing.T) {
	t.Parallel()
	analyze := need.Tool(t, "systemd-analyze")
	root := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("make", append([]string{"--no-print-directory", "-C", "../.."}, args...)...)
		cmd.Env = append(os.Environ(), "MAKEFLAGS=", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("install", "DESTDIR="+root, "PREFIX=/usr")
	kill := filepath.Join(root, "bin/kill") // ExecReload's, which every Debian has
	if err := os.MkdirAll(filepath.Dir(kill), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kill, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if out := harness.Run(t, analyze, "verify", "--root="+root, "edged.service"); strings.TrimSpace(out) != "" {
		t.Errorf("systemd-analyze verify says\n%s", out)
	}
	unit := filepath.Join(root, "usr/lib/systemd/system/edged.service")
	out := harness.Run(t, analyze, "security", "--offline=true", "--no-pager", unit)
	m := regexp.MustCompile(`exposure level for edged.service: ([0-9.]+)`).FindStringSubmatch(out)
	var score float64
	if m == nil {
		t.Fatalf("no score in\n%s", out)
	}
	if _, err := fmt.Sscan(m[1], &score); err != nil || score >= 3 {
		t.Errorf("the unit's exposure is %s, want less than 3", m[1])
	}
	config := filepath.Join(root, "etc/edged/edged.toml")
	edged := filepath.Join(root, "usr/bin/edged")
	if out := harness.Run(t, edged, "check", "--config", config); !strings.Contains(out, "ok") {
		t.Errorf("the installed configuration: %s", out)
	}
	if fi, err := os.Stat(filepath.Join(root, "etc/edged/secrets")); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the directory of secrets: %v, %v", fi, err)
	}
	if err := os.WriteFile(config, []byte("# mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run("install", "DESTDIR="+root, "PREFIX=/usr")
	run("uninstall", "DESTDIR="+root, "PREFIX=/usr")
	if text, err := os.ReadFile(config); err != nil || string(text) != "# mine\n" {
		t.Errorf("the user's configuration is now %q, %v", text, err)
	}
	var left []string
	_ = filepath.WalkDir(filepath.Join(root, "usr"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, path)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("uninstall has left %v", left)
	}
}

package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindLooksAmongTheUnitsCredentialsFirst(t *testing.T) {
	credentials, dir := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(credentials, "plain"), filepath.Join(credentials, "secrets_token"), filepath.Join(dir, "token"), filepath.Join(dir, "own")} {
		if err := os.WriteFile(path, []byte(path+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	for path, want := range map[string]string{
		"plain": filepath.Join(credentials, "plain"), "token": filepath.Join(credentials, "secrets_token"), "own": filepath.Join(dir, "own"), "/abs": "/abs", "": "",
	} {
		if got := Find(path, dir); got != want {
			t.Errorf("Find(%q) = %q, want %q", path, got, want)
		}
	}
	if text, err := Read("token", dir); err != nil || text != filepath.Join(credentials, "secrets_token") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestFindLooksWhereTheUnitLoadsFrom(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	before := system
	t.Cleanup(func() { system = before })
	dir := t.TempDir()
	system = t.TempDir()
	for path, text := range map[string]string{filepath.Join(system, "a"): "installed", filepath.Join(system, "b"): "installed", filepath.Join(dir, "b"): "own"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"a": "installed", "b": "own"} {
		if text, err := Read(name, dir); text != want || err != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := Read("c", dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), system) {
		t.Errorf("a file that is nowhere: %v", err)
	}
}

func TestWhatIsNoSecretIsSaidWithoutSayingIt(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": " \n", "lines": "hush\nhush", "long": strings.Repeat("hush", 10000)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(name, dir); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read("nowhere", dir); err == nil {
		t.Error("a file that is not there was read")
	}
}

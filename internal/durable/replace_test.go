package durable

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func read(t *testing.T, path string) (text string, mode fs.FileMode) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), fi.Mode()
}

// only checks that nothing lies in a directory but these.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if strings.Join(have, " ") != strings.Join(names, " ") {
		t.Errorf("in the directory: %q, want %q", have, names)
	}
}

func TestModesAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := Replace(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, mode := read(t, path); text != "one" || mode != 0o600 {
		t.Errorf("a new file: %q, %v", text, mode)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, mode := read(t, path); text != "two" || mode != 0o644 {
		t.Errorf("a file that was there: %q, %v", text, mode)
	}
	only(t, dir, "f")
}

func TestOwnersAreKept(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("one"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, 23456); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := fi.Sys().(*syscall.Stat_t); st.Uid != 12345 || st.Gid != 23456 || fi.Mode() != 0o640 {
		t.Errorf("owner %d, group %d, %v", st.Uid, st.Gid, fi.Mode())
	}
}

func TestLinksAreFollowed(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	link, path := filepath.Join(dir, "link"), filepath.Join(other, "f")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := Replace(link, []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("a link to nothing: %v", err)
	}
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(link, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, _ := read(t, path); text != "two" {
		t.Errorf("behind the link: %q", text)
	}
	only(t, dir, "link")
	only(t, other, "f")
}

// What fails on the way leaves the file as it was, and nothing beside it.
func TestFailuresLeaveTheOldFile(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(sub, []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a directory: %v", err)
	}
	if err := Replace(filepath.Join(dir, "nowhere", "f"), []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("no directory: %v", err)
	}
	path := filepath.Join(dir, "f")
	if err := Replace(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A write past the largest file that the process may make fails half way.
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	err := Replace(path, make([]byte, 5000), 0o600)
	if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); back != nil {
		t.Fatal(back)
	}
	if err == nil || !strings.Contains(err.Error(), path+" was not changed") {
		t.Errorf("a full disk: %v", err)
	}
	if text, _ := read(t, path); text != "one" {
		t.Errorf("after the failure: %q", text)
	}
	only(t, dir, "f", "sub")
}

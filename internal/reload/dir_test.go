package reload

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"edged/test/await"
)

func gets(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(await.Patience):
		t.Fatal("nothing is told of", what)
	}
}

func TestADirectoryTells(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ours, others := filepath.Join(dir, "ours"), filepath.Join(dir, "others")
	d, err := WatchDir(dir, func(name string) bool { return name == "ours" })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	write := func(path string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("x"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	write(others)
	gets(t, "a file that was made", d.Moved)
	write(others)
	write(ours)
	gets(t, "another file that was made", d.Moved)
	gets(t, "a write", d.Written)
	if err := os.Rename(ours, ours+".1"); err != nil {
		t.Fatal(err)
	}
	gets(t, "a file that was renamed", d.Moved)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "the directory is known to be gone", d.Lost)
	if _, err := WatchDir(dir, nil); err == nil {
		t.Error("a directory that is not there is watched")
	}
}

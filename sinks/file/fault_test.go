package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"edged"
)

// TestFullDiskTakesWhatFits: the whole deliveries are kept, the partial one is cut off, and the message says what to do.
func TestFullDiskTakesWhatFits(t *testing.T) {
	st := newStation(t, options{buffer: 16})
	st.open()
	st.write(row("a"))
	st.m.room = st.m.used() + int64(len(line("b"))+len(line("c"))-1)
	done, receipt, err := st.s.Write(t.Context(), []edged.Delivery{row("b"), row("c")})
	if done != 1 || receipt == nil || !errors.Is(err, syscall.ENOSPC) || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(done, err)
	}
	if want := "cannot write /d/raw.ndjson: no space left on device; its rows wait in the store; make room on the file system of /d"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	st.holds("raw.ndjson", line("a")+line("b"))
	st.receipt, st.m.room = receipt, 0
	st.write(row("c"))
	st.holds("raw.ndjson", line("a")+line("b")+line("c"))
	st.silent()
}

// TestFailedSyncClosesTheFile: the next Write opens it again and writes the turn anew, without Open.
func TestFailedSyncClosesTheFile(t *testing.T) {
	st := newStation(t, options{})
	st.open()
	st.write(row("a"))
	st.m.failSyncs = 1
	done, receipt, err := st.s.Write(t.Context(), []edged.Delivery{row("b")})
	if done != 0 || receipt != nil || !errors.Is(err, syscall.EIO) {
		t.Fatal(done, receipt, err)
	}
	if len(st.m.open) != 0 {
		t.Error("the file is still open")
	}
	st.write(row("b"))
	st.m.powerCut()
	st.holds("raw.ndjson", line("a")+line("b"))
}

func TestRotatesByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, options{rotateAge: time.Hour})
		st.open()
		time.Sleep(2 * time.Hour) // an empty file has no age
		st.write(row("a"))
		time.Sleep(time.Hour - time.Second)
		st.restart()
		st.write(row("b"))
		time.Sleep(time.Second)
		st.write(row("c"))
		closed := "raw-" + time.Now().UTC().Format("20060102T150405Z") + "-1.ndjson"
		if st.m.names[closed] == nil {
			t.Errorf("there is no %s", closed)
		}
		st.holds("raw-*-1.ndjson", line("a")+line("b"), "raw.ndjson", line("c"))
	})
}

// TestAClockSetBackDoesNotStopRotation: a first write in the future counts from the first look at it.
func TestAClockSetBackDoesNotStopRotation(t *testing.T) {
	s := sink{options: options{rotateAge: time.Hour}, state: receipt{length: 1, began: 10_000}}
	now := time.Unix(5_000, 0)
	if s.old(now) || !s.old(now.Add(time.Hour)) {
		t.Error("want the age to count from the time that was set")
	}
}

func TestOpenSaysWhichDirectoryIsMissing(t *testing.T) {
	c, env := Default(), quiet()
	env.DataDir = t.TempDir()
	c.Path = "nosuch/raw.ndjson"
	err := c.New(env).Open(t.Context(), nil, nil)
	if dir := filepath.Join(env.DataDir, "nosuch"); err == nil || !strings.HasSuffix(err.Error(), "the directory "+dir+" must exist") {
		t.Fatal(err)
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	c, env := Default(), quiet()
	env.DataDir = t.TempDir()
	c.Path = "pipe"
	if err := syscall.Mkfifo(filepath.Join(env.DataDir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.New(env).Open(t.Context(), nil, nil); edged.ClassOf(err) != edged.Permanent || !errors.Is(err, errNotRegular) {
		t.Fatal(err)
	}
}

func TestFaultsSayWhatToDo(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.EROFS:  "add ReadWritePaths=/d to the unit",
		syscall.EACCES: "edged's user must be able to read and write the file and its directory",
		syscall.EDQUOT: "the quota",
		syscall.EFBIG:  "set rotate_size",
		syscall.EIO:    "see dmesg",
		syscall.ENOENT: "the directory /d must exist",
	} {
		err := fault("open", "/d/f", &os.PathError{Op: "open", Path: "/d/f", Err: cause})
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "/d/f") != 1 {
			t.Errorf("%v: %v", cause, err)
		}
	}
}

// TestSymbolicLink: the link stays, and everything happens where its target is, which need not exist at first.
func TestSymbolicLink(t *testing.T) {
	env, far := quiet(), t.TempDir()
	env.DataDir = t.TempDir()
	link := filepath.Join(env.DataDir, "raw.ndjson")
	if err := os.Symlink(filepath.Join(far, "there.ndjson"), link); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Path, c.RotateSize = "raw.ndjson", 1
	s := c.New(env)
	var receipt []byte
	if err := s.Open(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	for turn := []edged.Delivery{row("a"), row("b")}; len(turn) > 0; {
		done, r, err := s.Write(t.Context(), turn)
		if err != nil {
			t.Fatal(err)
		}
		receipt, turn = r, turn[done:]
	}
	if err := errors.Join(s.Close(), s.Open(t.Context(), receipt, nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	if at, err := os.Lstat(link); err != nil || at.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
	n := namingOf("there.ndjson")
	names, err := disk{}.List(far)
	if err != nil || len(names) != 3 || names[2] != "there.ndjson" {
		t.Fatal(names, err)
	}
	for i, want := range []string{line("a"), line("b")} {
		if _, _, ok := n.parse(names[i]); !ok || readFile(t, filepath.Join(far, names[i])) != want {
			t.Errorf("%s holds %q", names[i], readFile(t, filepath.Join(far, names[i])))
		}
	}
}

func TestALoopOfLinksIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink("loop", path); err != nil {
		t.Fatal(err)
	}
	if _, err := (disk{}).Resolve(path); !errors.Is(err, syscall.ELOOP) {
		t.Fatal(err)
	}
}

func TestNewFilesAreNotForEverybody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, err := disk{}.Open(path, os.O_CREATE|os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if at, err := os.Stat(path); err != nil || at.Mode().Perm()&^0o640 != 0 {
		t.Fatal(at.Mode(), err)
	}
}

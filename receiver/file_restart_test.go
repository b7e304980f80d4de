package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"edged"
	"edged/test/await"

	"pgregory.net/rapid"
)

func TestARestartGoesOnWhereItWas(t *testing.T) {
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "a\nb\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a", "b")
	f.stop(t)
	write(t, path, "c\n")
	r = &reader{}
	begin(t, newTail(path, s, nil), r)
	r.has(t, "c")
}

// After a crash the lines since the last save come again, and none is missing.
func TestACrashLosesNothing(t *testing.T) {
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "a\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a")
	await.Soon(t, "the position is saved", func() bool { return s.offset(t) == 2 })
	left := s.copy()
	write(t, path, "b\nc\n")
	r.has(t, "a", "b", "c")
	f.stop(t)
	write(t, path, "d\n")
	r = &reader{}
	begin(t, newTail(path, left, nil), r)
	r.has(t, "b", "c", "d")
}

// The position does not pass a line that is not stored, though later ones are.
func TestThePositionWaitsForTheCommit(t *testing.T) {
	path, s := logFile(t), &shelf{}
	r := &reader{acks: func(n int) (bool, error) { return n != 1, nil }}
	write(t, path, "a\nb\nc\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a", "b", "c")
	f.stop(t) // it waits for the line, not for ever
	if n := s.offset(t); n != 2 {
		t.Fatalf("the position is %d", n)
	}
	r = &reader{}
	begin(t, newTail(path, s, nil), r)
	r.has(t, "b", "c")
}

// A line that could not be stored ends Run; the next one begins with it.
func TestALineThatIsNotStoredIsReadAgain(t *testing.T) {
	path, s := logFile(t), &shelf{}
	broken := errors.New("no disk")
	r := &reader{acks: func(n int) (bool, error) { return true, map[bool]error{true: broken}[n == 1] }}
	write(t, path, "a\nb\nc\n")
	x := newTail(path, s, nil)
	f := begin(t, x, r)
	if err := <-f.ended; !errors.Is(err, broken) || edged.ClassOf(err) != edged.Retryable {
		t.Fatal(err)
	}
	f.ended <- nil
	r = &reader{}
	begin(t, x, r)
	r.has(t, "b", "c")
}

// Rotation while edged is down: the rest of the old file comes first, found by its inode.
func TestRotationWhileItIsDown(t *testing.T) {
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "a1\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a1")
	f.stop(t)
	write(t, path, "a2\n")
	ok(t, os.Rename(path, path+".1"))
	write(t, path, "b1\n")
	r = &reader{}
	f = begin(t, newTail(path, s, nil), r)
	r.has(t, "a2", "b1")
	f.stop(t)
	r = &reader{}
	begin(t, newTail(path, s, nil), r)
	write(t, path, "b2\n")
	r.has(t, "b2")
}

func TestAFileThatWasCutShortWhileItWasDown(t *testing.T) {
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "a long line\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a long line")
	f.stop(t)
	ok(t, os.Truncate(path, 0))
	write(t, path, "b\n")
	r = &reader{}
	begin(t, newTail(path, s, nil), r)
	r.has(t, "b")
}

// An inode is used again: the new file has the number of the old one, and is told from it by its first bytes.
func TestAReusedInodeIsNotMistaken(t *testing.T) {
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "a1\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a1")
	f.stop(t)
	ok(t, os.Remove(path))
	write(t, path, "b1\nb2\n")
	fi, err := os.Stat(path)
	ok(t, err)
	n, err := decodeNote(s.value)
	ok(t, err)
	n.Files[0].Inode = fi.Sys().(*syscall.Stat_t).Ino
	s.value, err = json.Marshal(n)
	ok(t, err)
	r = &reader{}
	begin(t, newTail(path, s, nil), r)
	r.has(t, "b1", "b2")
}

// A disk has another device number after a start of the computer; its files are the same.
func TestAnotherDeviceNumber(t *testing.T) {
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "a1\n")
	f := begin(t, newTail(path, s, nil), r)
	r.has(t, "a1")
	f.stop(t)
	n, err := decodeNote(s.value)
	ok(t, err)
	n.Files[0].Device += 7
	s.value = n.encode()
	write(t, path, "a2\n")
	r = &reader{}
	begin(t, newTail(path, s, nil), r)
	r.has(t, "a2")
}

// What was saved is damaged: lines that come twice are better than lines that are missing.
func TestADamagedPosition(t *testing.T) {
	for name, s := range map[string]*shelf{"in the store": {bad: errors.New("checksum")}, "in itself": {value: []byte("{")}} {
		t.Run(name, func(t *testing.T) {
			path, r := logFile(t), &reader{}
			write(t, path, "a\n")
			begin(t, newTail(path, s, func(x *tail) { x.Start = "end" }), r)
			r.has(t, "a")
		})
	}
}

// A file that could not be opened at first has an end all the same: what was in it then is not read later.
func TestAFileThatCouldNotBeOpenedAtFirst(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can open every file")
	}
	path, s, r := logFile(t), &shelf{}, &reader{}
	write(t, path, "old\n")
	ok(t, os.Chmod(path, 0))
	f := begin(t, newTail(path, s, func(x *tail) { x.Start = "end" }), r)
	f.waitIdle(t)
	f.stop(t)
	ok(t, os.Chmod(path, 0o600))
	write(t, path, "new\n")
	begin(t, newTail(path, s, func(x *tail) { x.Start = "end" }), r)
	r.has(t, "new")
}

// A directory that is not there yet may have a file that has an end.
func TestADirectoryThatIsNotThereYet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mount")
	path, s, r := filepath.Join(dir, "meter.log"), &shelf{}, &reader{}
	x := newTail(path, s, func(x *tail) { x.Start = "end" })
	f := begin(t, x, r)
	f.waitIdle(t)
	f.stop(t)
	ok(t, os.Mkdir(dir, 0o700))
	write(t, path, "old\n")
	f = begin(t, x, r)
	f.waitIdle(t)
	write(t, path, "new\n")
	r.has(t, "new")
}

// Nothing is read before it is saved where reading begins.
func TestAFullStoreKeepsTheFileWaiting(t *testing.T) {
	path, s, r := logFile(t), &shelf{full: edged.ErrFull}, &reader{}
	write(t, path, "a\n")
	x := newTail(path, s, nil)
	if err := x.Run(t.Context(), r); !errors.Is(err, edged.ErrFull) || len(r.list()) > 0 {
		t.Fatal(err, r.list())
	}
	s.full = nil
	begin(t, x, r)
	r.has(t, "a")
}

// Whatever the order of acknowledgements, the position is the end of the last line before which everything is stored.
func TestThePositionIsThatOfTheStoredPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &passed{news: make(chan struct{}, 1)}
		kinds := rapid.SliceOfN(rapid.Bool(), 1, 30).Draw(t, "is a message")
		var order []int
		stored := make([]bool, len(kinds))
		tokens := make([]uint64, len(kinds))
		for i, message := range kinds {
			if message {
				tokens[i] = p.line(int64(i + 1))
				order = append(order, i)
			} else {
				p.skip(int64(i + 1))
				stored[i] = true
			}
		}
		check := func() {
			want := 0
			for want < len(stored) && stored[want] {
				want++
			}
			if off, settled, _ := p.state(); off != int64(want) || settled != (want == len(stored)) {
				t.Fatal(fmt.Sprint(stored, off, settled))
			}
		}
		check()
		if len(order) == 0 {
			return
		}
		for _, i := range rapid.Permutation(order).Draw(t, "order") {
			p.Acked(tokens[i], edged.Pos{}, nil)
			stored[i] = true
			check()
		}
	})
}

package blockstore

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"edged/test/need"

	berrors "go.etcd.io/bbolt/errors"
)

// The reserve's blocks are the file's before they are needed, and those of a killed store are known again.
func TestTheReserveIsOnDisk(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	s.reserved.never = false
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for range 30 {
		f.put(nil, noise(200<<10))
		step(t, s)
	}
	sp := s.measure()
	var st syscall.Stat_t
	if err := syscall.Stat(s.path, &st); err != nil {
		t.Fatal(err)
	}
	if s.reserved.never {
		need.Missing(t, "a file system that takes blocks ahead")
	}
	if have := st.Blocks * 512; have < sp.File+sp.Reserve {
		t.Errorf("the file has %d bytes of the disk, and uses %d: a reserve of %d is not there", have, sp.File, sp.Reserve)
	}
	if sp.Room < sp.Max/2 {
		t.Errorf("room for %d bytes in a store that is nearly empty: %+v", sp.Room, sp)
	}
	again := open(t, snapshot(t, s), nil)
	again.reserved.never = false
	defer closeStore(t, again)
	if after := again.measure(); again.reserved.to < sp.File+sp.Reserve || after.Room < sp.Room-2*allocStep {
		t.Errorf("after a kill: blocks up to %d, %+v, before %+v", again.reserved.to, after, sp)
	}
}

func TestWhatIsFull(t *testing.T) {
	write := func(e error) error { return &os.PathError{Op: "write", Path: "edged.db", Err: e} }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{berrors.ErrMaxSizeReached, true},
		{write(syscall.ENOSPC), true},
		{write(syscall.EDQUOT), true},
		{write(syscall.EFBIG), true},
		{write(syscall.EIO), false},
		{fmt.Errorf("file resize error: %s", &os.PathError{Op: "truncate", Path: "edged.db", Err: syscall.ENOSPC}), true},
		{fmt.Errorf("file resize error: %s", &os.PathError{Op: "truncate", Path: "edged.db", Err: syscall.EIO}), false},
		// After a sync that failed nobody knows what is on disk.
		{syscall.ENOSPC, false},
		{syscall.EIO, false},
		{fmt.Errorf("file sync error: %s", &os.PathError{Op: "sync", Path: "edged.db", Err: syscall.ENOSPC}), false},
	} {
		if have := isFull(c.err); have != c.want {
			t.Errorf("%v: full = %v", c.err, have)
		}
	}
}

//go:build linux

package machine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const sector = 512

// Flags of an entry in the log that the kernel's dm-log-writes keeps (drivers/md/dm-log-writes.c). An entry is logged once it is certain to be on the
// disk: what was not flushed comes when the next flush has ended, just before it; what was written through (FUA) at once.
const (
	flush   = 1
	discard = 4
	mark    = 8
)

// entry is one write, flush, or mark.
type entry struct {
	at    int64 // where on the disk, in bytes
	flags uint64
	from  int64 // where in the log its data is, in bytes
	len   int64
	name  string // of a mark
}

// readLog reads the log on a disk.
func readLog(t *testing.T, disk *os.File) (log []entry) {
	t.Helper()
	head := make([]byte, sector)
	if _, err := disk.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	n, size := binary.LittleEndian.Uint64(head[16:]), binary.LittleEndian.Uint32(head[24:])
	if size != sector {
		t.Fatalf("the log has sectors of %d bytes", size)
	}
	for off := int64(sector); n > 0; n-- {
		if _, err := disk.ReadAt(head, off); err != nil {
			t.Fatal(err)
		}
		field := func(i int) uint64 { return binary.LittleEndian.Uint64(head[8*i:]) }
		e := entry{at: int64(field(0)) * sector, len: int64(field(1)) * sector, flags: field(2), from: off + sector}
		if e.flags&mark != 0 {
			e.name = string(head[32 : 32+field(3)])
		}
		if off += sector; e.flags&discard == 0 {
			off += e.len
		}
		log = append(log, e)
	}
	return log
}

// cut is a moment at which the power fails.
type cut struct {
	last int    // everything up to this entry is on the disk: entries come in the order in which they are certain to be
	mark string // the last mark up to it
	some []int  // of what was written by the next flush, which is not certain yet, this is on the disk too
	torn int    // one of some, of which only the first half is
}

// cutAt draws a cut somewhere between the first mark and the last. What was not flushed is on the disk or not, as chance will have it.
func cutAt(log []entry, r *rand.Rand) (c cut) {
	marked := func(e entry) bool { return strings.HasPrefix(e.name, acknowledged) } // the kernel ends the log with a mark of its own
	first := slices.IndexFunc(log, marked)
	last := len(log) - 1
	for !marked(log[last]) {
		last--
	}
	c.last, c.torn = first+r.IntN(last-first), -1
	for _, e := range log[:c.last+1] {
		if marked(e) {
			c.mark = e.name
		}
	}
	for i := c.last + 1; i < len(log) && log[i].flags&flush == 0; i++ {
		if r.IntN(2) == 0 {
			c.some = append(c.some, i)
		}
	}
	if len(c.some) > 0 {
		c.torn = c.some[r.IntN(len(c.some))]
	}
	return c
}

// replay makes a disk what it was after the cut.
func replay(t *testing.T, log []entry, c cut, from, to *os.File, size int64) {
	t.Helper()
	image := make([]byte, size)
	apply := func(i int) {
		e := log[i]
		if e.flags&(mark|discard) != 0 || e.len == 0 {
			return
		}
		if i == c.torn {
			e.len = (e.len/sector + 1) / 2 * sector
		}
		if _, err := from.ReadAt(image[e.at:e.at+e.len], e.from); err != nil {
			t.Fatal(err)
		}
	}
	for i := range c.last + 1 {
		apply(i)
	}
	for _, i := range c.some {
		apply(i)
	}
	if _, err := io.Copy(io.NewOffsetWriter(to, 0), bytes.NewReader(image)); err != nil {
		t.Fatal(err)
	}
	if err := to.Sync(); err != nil {
		t.Fatal(err)
	}
}

func (c cut) String() string {
	return fmt.Sprintf("entry %d, mark %s, %d of what was not flushed", c.last, c.mark, len(c.some))
}

// module loads a kernel module of the machine by its file; it may be loaded already.
func module(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && err != unix.EEXIST {
		t.Fatalf("%s: %v", path, err)
	}
}

// release is the machine's kernel.
func release(t *testing.T) string {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(u.Release[:]), "\x00")
}

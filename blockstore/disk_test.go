package blockstore

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"unsafe"

	"edged"
	"edged/blockstore/pages"
)

// faultyDisk stands between the library and its file: it makes the k-th write fail, and knows what a power cut may leave.
//
// The library writes its pages and one of the two meta pages, the store the seal in that, and syncs; a growing file is synced before. That it does is not
// assumed here alone: test/power looks at the calls of the real process, and breaks each of its syncs in turn.
type faultyDisk struct {
	path     string
	durable  []byte
	volatile []pageWrite
	writes   int
	failAt   int   // the write that fails; 0 = none
	err      error // what it fails with
	whole    bool  // the write that fails is there all the same
	lies     bool  // no sync does anything
	hit      bool
	seal     bool // it was of a seal
}

type pageWrite struct {
	off  int64
	data []byte
}

// watch puts a disk below an open store. Everything written so far is durable.
func watch(s *Store) *faultyDisk {
	d := &faultyDisk{path: s.path, err: syscall.EIO}
	text, err := os.ReadFile(s.path)
	if err != nil {
		panic(err)
	}
	d.durable = text
	// The library has this hook for its own tests and does not export it.
	hook := reflect.ValueOf(s.db.DB).Elem().FieldByName("ops").FieldByName("writeAt")
	at := (*func([]byte, int64) (int, error))(unsafe.Pointer(hook.UnsafeAddr()))
	write := *at
	*at = func(b []byte, off int64) (int, error) {
		d.writes++
		fails := d.failAt > 0 && d.writes == d.failAt
		d.volatile = append(d.volatile, pageWrite{off, append([]byte(nil), b...)})
		if fails {
			d.hit, d.seal = true, off < 2*pageSize && off%pageSize != 0
			if !d.whole {
				return 0, &os.PathError{Op: "write", Path: d.path, Err: d.err}
			}
			n, _ := write(b, off)
			return n, d.err
		}
		return write(b, off)
	}
	s.db.writeAt = *at
	sync := s.db.syncData
	s.db.syncData = func() error {
		err := sync()
		if err == nil {
			d.settle()
		}
		return err
	}
	return d
}

// settle makes durable what was written: a sync has returned.
func (d *faultyDisk) settle() {
	if d.lies {
		return
	}
	for _, w := range d.volatile {
		d.durable = w.on(d.durable)
	}
	d.volatile = nil
}

func (w pageWrite) on(b []byte) []byte {
	if end := int(w.off) + len(w.data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[w.off:], w.data)
	return b
}

// cut is what a power cut leaves: of what is volatile any sectors, or none without dice.
func (d *faultyDisk) cut(t interface{ Fatal(...any) }, dice *rand.Rand) (dir string) {
	b := append([]byte(nil), d.durable...)
	for _, w := range d.volatile {
		for at := 0; at < len(w.data); at += 512 {
			if dice != nil && dice.IntN(2) == 0 {
				b = pageWrite{w.off + int64(at), w.data[at:min(at+512, len(w.data))]}.on(b)
			}
		}
	}
	if fi, err := os.Stat(d.path); err == nil && int64(len(b)) < fi.Size() { // its growth was synced before
		b = append(b, make([]byte, fi.Size()-int64(len(b)))...)
	}
	inAnotherRun(b)
	dir, err := quickDir()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, FileName), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// inAnotherRun makes the seals of a file those of an earlier run of the computer.
func inAnotherRun(b []byte) {
	f := pages.New(bytes.NewReader(b), int64(len(b)), pageSize)
	for _, m := range f.Metas() {
		if s, _, _, whole := f.SealOf(m); whole && s.Boot != [16]byte{} {
			s.Boot[0]++
			seal, _ := s.Append(nil)
			copy(b[int(m.Page)*pageSize+pages.SealAt:], seal)
		}
	}
}

// The control: on a disk that syncs nothing a power cut loses what was acknowledged.
func TestLostSyncsAreNoticed(t *testing.T) {
	for _, lies := range []bool{false, true} {
		s := open(t, t.TempDir(), nil)
		f := &feed{name: "r"}
		s.AddSource("r", MemoryAndDisk, f)
		d := watch(s)
		d.lies = lies
		for range 3 {
			f.put(nil, "x")
			step(t, s)
		}
		d.settle()
		dir := d.cut(t, nil)
		defer os.RemoveAll(dir)
		closeStore(t, s)
		s = open(t, dir, nil)
		if n := len(payloads(all(t, s, 0))); (n == 3) == lies {
			t.Errorf("syncs are lost: %v; %d of 3 acknowledged blocks are there", lies, n)
		}
		closeStore(t, s)
	}
}

// Every write of a life fails once, for each of them in turn until one life ends before it comes to it. With EIO the store ends and the
// next start reads what is there; for want of room it goes on. What was acknowledged is there once, and nothing twice.
func TestEveryWriteFails(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		whole bool
	}{
		"an error": {syscall.EIO, false}, "an error after it was written": {syscall.EIO, true},
		"no room": {syscall.ENOSPC, false}, "no room, and yet it was written": {syscall.ENOSPC, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := 1
			for ; failOnce(t, k, c.err, c.whole); k++ {
			}
			if k < 18 {
				t.Errorf("there were only %d writes", k)
			}
		})
	}
}

// failOnce stores blocks, results and a cursor while the k-th write fails, and reports whether there was one.
func failOnce(t *testing.T, k int, cause error, whole bool) (hit bool) {
	dir, err := quickDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	keep := func(c *Config) { c.Keep = 0 }
	s := open(t, dir, keep)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	d := watch(s)
	d.failAt, d.err, d.whole = k, cause, whole
	acked := map[string]bool{}
	results, cursor := 0, byte(0)
	for i := range 6 {
		for _, size := range []int{10, 9000} {
			text := string(append(make([]byte, size), byte(i)))
			f.put(func(err error) {
				if err == nil {
					acked[text] = true
				} else if cause == syscall.ENOSPC && !whole && !d.seal {
					t.Errorf("write %d: a block was refused for want of room, and not kept: %v", k, err)
				}
			}, text)
		}
		for {
			next := byte(i + 1)
			var told error
			u := &edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(0), Data: []byte{next}}, {Name: "of-p", Log: "p", Need: edged.SpansFrom(1)}}}
			if i%2 == 1 {
				u.Results = []edged.Result{{Stream: "p", Data: []byte{next}}}
			}
			s.Submit(u, false, func(err error) { told = err })
			s.retryAt = s.retryAt.Add(-1e12)
			err := s.commitRound(false)
			if err == nil && told == nil {
				results, cursor = results+i%2, next
				break
			}
			if err == nil { // for want of room: it is said, and tried again
				if !errors.Is(told, syscall.ENOSPC) && !isFull(told) {
					t.Fatalf("write %d: %v", k, told)
				}
				continue
			}
			s.Close()
			s = open(t, dir, keep)
			f = &feed{name: "r", wall: f.wall}
			s.AddSource("r", MemoryAndDisk, f)
			at, ok := s.Cursor("c")
			if stored := ok && at.Data[0] == next; i%2 == 1 && stored != (int(s.ResultEnd("p"))-1 == results+1) {
				t.Fatalf("write %d: cursor and result of one update are not both there, or both not", k)
			} else if stored {
				results, cursor = results+i%2, next
				break
			}
		}
	}
	for s.retry != nil || len(f.queue) > 0 { // blocks that waited for room
		s.retryAt = s.retryAt.Add(-1e12)
		step(t, s)
	}
	d.failAt = 0
	s.Close()
	s = open(t, dir, keep)
	defer closeStore(t, s)
	seen := map[string]int{}
	for _, p := range payloads(all(t, s, 0)) {
		seen[p]++
	}
	for p, n := range seen {
		if n > 1 {
			t.Errorf("write %d: a block is there %d times", k, n)
		}
		delete(acked, p)
	}
	if len(acked) > 0 {
		t.Errorf("write %d: %d acknowledged blocks are lost", k, len(acked))
	}
	if at, _ := s.Cursor("c"); at.Data == nil || at.Data[0] != cursor || int(s.ResultEnd("p"))-1 != results {
		t.Errorf("write %d: the cursor says %v, want %d; %d results, want %d", k, at.Data, cursor, s.ResultEnd("p")-1, results)
	}
	return d.hit
}

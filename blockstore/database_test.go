package blockstore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"edged"
	"edged/blockstore/pages"

	"go.etcd.io/bbolt"
)

// inForce is the newest transaction in a store's file, and which have a seal of their own.
func inForce(t testing.TB, s *Store) (newest pages.Meta, sealed map[uint64]bool) {
	t.Helper()
	fi, err := s.db.f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p := pages.New(s.db.f, fi.Size(), pageSize)
	sealed = map[uint64]bool{}
	for _, m := range p.Metas() {
		seal, _, _, whole := p.SealOf(m)
		sealed[m.Tx] = whole && seal.Tx == m.Tx
		if m.Tx > newest.Tx {
			newest = m
		}
	}
	return newest, sealed
}

// sectors are what is volatile, sector by sector.
func (d *faultyDisk) sectors() (out []pageWrite) {
	for _, w := range d.volatile {
		for at := 0; at < len(w.data); at += 512 {
			out = append(out, pageWrite{w.off + int64(at), w.data[at:min(at+512, len(w.data))]})
		}
	}
	return out
}

// torn is a store in which everything is durable but the commit of one more block, which was cut off.
type torn struct {
	old     []string // payloads
	file    []byte   // without the commit
	sectors []pageWrite
}

func tornCommit(t *testing.T) *torn {
	t.Helper()
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for i := range 40 {
		f.put(nil, fmt.Sprint("old ", i), noise(i*97))
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(1)}}, Puts: []edged.Put{{Space: "x", Key: fmt.Sprint(i), Value: make([]byte, 100)}}}, false, nil)
		step(t, s)
	}
	c := &torn{old: payloads(all(t, s, 0))}
	disk := watch(s)
	held := s.db.syncData
	s.db.syncData = func() error { return nil } // it has not returned yet
	f.put(nil, "new", noise(9000))
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(2)}}, Puts: []edged.Put{{Space: "x", Key: "7", Value: []byte("new")}}}, false, nil)
	step(t, s)
	s.db.syncData = held
	if c.file, c.sectors = bytes.Clone(disk.durable), disk.sectors(); len(c.sectors) < 40 {
		t.Fatalf("%d sectors were written", len(c.sectors))
	}
	return c
}

// each calls f with what the disk may hold: of all sectors that the commit wrote one is not there, or one alone is, for each of them; or all are.
func (c *torn) each(f func(what string, file []byte, whole bool)) {
	for missing := -1; missing < len(c.sectors); missing++ {
		for _, alone := range []bool{false, true} {
			b, all := bytes.Clone(c.file), bytes.Clone(c.file)
			for i, w := range c.sectors {
				if all = w.on(all); alone == (i == missing) {
					b = w.on(b)
				}
			}
			whole := bytes.Equal(b, all)
			if len(b) < len(all) { // its growth was synced before
				b = append(b, make([]byte, len(all)-len(b))...)
			}
			f(fmt.Sprintf("sector %d missing (alone there: %v)", missing, alone), b, whole)
		}
	}
}

// After a power cut amid a commit the store is as after the commit or as before it; as after it only if nothing is missing that it needs. Nothing is set aside, and
// nothing told as damaged.
func TestTornCommitsAreTakenBack(t *testing.T) {
	c := tornCommit(t)
	stays := map[bool]int{}
	c.each(func(what string, b []byte, whole bool) {
		inAnotherRun(b)
		dir := lay(t, b)
		s := tryOpen(t, dir)
		defer closeStore(t, s)
		texts := payloads(all(t, s, 0))
		there := len(texts) > len(c.old)
		stays[there]++
		if at, ok := s.Cursor("c"); !ok || (at.Need[0].From == 2) != there || len(texts) < len(c.old) {
			t.Errorf("%s: %d of %d payloads, cursor %v", what, len(texts), len(c.old), at.Need)
		}
		if whole && !there {
			t.Errorf("%s: everything is there, and was taken back", what)
		}
		if n := s.Notes(); len(n) > 0 || names(t, dir) != FileName {
			t.Errorf("%s: told as damaged: %+v; there is %s", what, n, names(t, dir))
		}
	})
	if stays[true] == 0 || stays[false] < len(c.sectors) {
		t.Errorf("the commit stayed %d times, and was taken back %d times", stays[true], stays[false])
	}
}

// A disk can go without the computer: it is pulled out amid a commit, put in again, and edged starts in the same run of the computer. What was acknowledged before is there all the
// same, whichever sectors are not.
func TestADiskThatIsPulledOut(t *testing.T) {
	c := tornCommit(t)
	c.each(func(what string, b []byte, whole bool) {
		s := tryOpen(t, lay(t, b))
		defer closeStore(t, s)
		there := map[string]bool{}
		for _, p := range payloads(all(t, s, 0)) {
			there[p] = true
		}
		for _, p := range c.old {
			if !there[p] {
				t.Errorf("%s: %.10q… is lost, and was acknowledged; notes: %+v", what, p, s.Notes())
				break
			}
		}
		if n := s.Notes(); whole && len(n) > 0 {
			t.Errorf("%s: everything is there, and told as damaged: %+v", what, n)
		}
	})
}

// What does not agree within one run of the computer is damage: salvaged and told, not taken back.
func TestDamageIsNotTakenBack(t *testing.T) {
	file, want := sampleStore(t, 6)
	p := pages.New(bytes.NewReader(file), int64(len(file)), pageSize)
	good, _ := p.InForce(bootID())
	seal, _, _, whole := p.SealOf(good[0])
	if !whole || len(seal.Runs) == 0 || seal.Boot != bootID() {
		t.Fatalf("the newest transaction has the seal %+v", seal)
	}
	for _, run := range seal.Runs {
		b := bytes.Clone(file)
		clear(b[run.ID*pageSize : run.ID*pageSize+100])
		dir := lay(t, b)
		s := tryOpen(t, dir)
		if len(s.Notes()) == 0 {
			t.Errorf("page %d is gone, and nothing is said", run.ID)
		}
		if got := payloads(all(t, s, 0)); len(got) < len(want)-2 {
			t.Errorf("page %d is gone, and %d of %d blocks are left", run.ID, len(got), len(want))
		}
		closeStore(t, s)
	}
}

// A transaction that wrote so many runs of pages that a seal has no room for their names is synced before it is settled.
func TestManyRunsAreSyncedTwice(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	syncs, sync := 0, s.db.syncData
	s.db.syncData = func() error { syncs++; return sync() }
	put := func(n, gap int, text string) int {
		t.Helper()
		syncs = 0
		err := s.db.Update(func(tx *bbolt.Tx) error {
			for i := 0; i < n; i += gap {
				b, err := tx.CreateBucketIfNotExists(fmt.Appendf(nil, "S%06d", i))
				if err == nil {
					err = b.Put([]byte("k"), append(make([]byte, 3000), text...))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return syncs
	}
	few := put(6000, 1, "a")
	put(6000, 3, "b")
	if many := put(6000, 3, "c"); few != 1 || many != 2 { // what was free was between what was not
		t.Errorf("%d syncs for one run of pages, %d for thousands", few, many)
	}
	m, sealed := inForce(t, s)
	text, err := os.ReadFile(s.path)
	if err != nil || !sealed[m.Tx] {
		t.Fatal("it is not settled", err)
	}
	inAnotherRun(text)
	after := tryOpen(t, lay(t, text))
	defer closeStore(t, after)
	if err := after.view(func(tx *bbolt.Tx) error {
		if v := tx.Bucket([]byte("S000003")).Get([]byte("k")); v[len(v)-1] != 'c' {
			t.Errorf("after a power cut there is %q", v[len(v)-1])
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A store that an earlier version has written is sealed from its upgrade on, and what that left is believed.
func TestAStoreWithoutSealsIsBelieved(t *testing.T) {
	file, want := sampleStore(t, 6)
	for i := range 2 {
		clear(file[i*pageSize+pages.SealAt : (i+1)*pageSize])
	}
	dir := lay(t, file)
	s := tryOpen(t, dir)
	defer closeStore(t, s)
	if got := payloads(all(t, s, 0)); len(got) != len(want) {
		t.Errorf("%d of %d blocks are there", len(got), len(want))
	}
	if m, sealed := inForce(t, s); !sealed[m.Tx] {
		t.Error("what is in force has no seal")
	}
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		t.Error(err)
	}
}

package pages

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// reach is every page that a state leads to.
func reach(t *testing.T, f *File, m Meta) map[uint64]bool {
	t.Helper()
	out := map[uint64]bool{}
	w := f.Walk(m.High, func(d Damage) { t.Fatal(d) })
	var each func(e *Element)
	each = func(e *Element) {
		if e.Bucket {
			w.Bucket(e, each)
		}
	}
	w.Tree(m.Root, each)
	for id := range m.High {
		if w.seen.Has(id) {
			out[id] = true
		}
	}
	if m.Freelist != NoFreelist {
		n, err := f.overflowOf(m.Freelist)
		if err != nil {
			t.Fatal(err)
		}
		for id := m.Freelist; id <= m.Freelist+n; id++ {
			out[id] = true
		}
	}
	return out
}

// What a transaction has written are the pages that lead to the new state and did not lead to the one before, whatever it did: keys and buckets made and deleted, values of many
// pages, trees that become higher and lower, a free list.
func TestWrittenIsWhatIsNew(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	state := func() (*File, Meta) {
		fi, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		f := New(file, fi.Size(), 4096)
		good, _ := f.InForce([16]byte{})
		return f, good[0]
	}
	empty, tracker := 0, NewTracker(file, 4096)
	for step := range 150 {
		f, before := state()
		old := reach(t, f, before)
		db.NoFreelistSync = r.IntN(10) > 0
		if err := db.Update(func(tx *bbolt.Tx) error { return change(tx, r, step) }); err != nil {
			t.Fatal(err)
		}
		f, now := state()
		if now.Tx != before.Tx+1 {
			t.Fatalf("transaction %d after %d", now.Tx, before.Tx)
		}
		runs, sum, err := tracker.Written(f.size, now, before)
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if want, err := f.Sum(runs); err != nil || sum != want {
			t.Fatalf("step %d: the sum is %x, want %x (%v)", step, sum, want, err)
		}
		have := map[uint64]bool{}
		for _, r := range runs {
			for id := r.ID; id < r.ID+r.N; id++ {
				if have[id] {
					t.Errorf("step %d: page %d twice", step, id)
				}
				have[id] = true
			}
		}
		if len(have) == 0 {
			empty++
		}
		for id := range reach(t, f, now) {
			if have[id] == old[id] {
				t.Fatalf("step %d: page %d is new: %v, and was written: %v", step, id, !old[id], have[id])
			}
			delete(have, id)
		}
		if len(have) > 0 {
			t.Fatalf("step %d: pages that nothing leads to: %v", step, have)
		}
	}
	if empty == 150 {
		t.Error("nothing was ever written")
	}
}

// change makes a transaction of some kind.
func change(tx *bbolt.Tx, r *rand.Rand, step int) error {
	name := []byte(fmt.Sprintf("%c%06d", 'A'+r.IntN(3), r.IntN(400)))
	value := func() []byte { return make([]byte, []int{3, 300, 3000, 30_000}[r.IntN(4)]) }
	switch r.IntN(7) {
	case 0: // as the block log does
		for i := range 1 + r.IntN(30) {
			b, err := tx.CreateBucketIfNotExists([]byte(fmt.Sprintf("L%06d.%02d", step, i)))
			if err != nil {
				return err
			}
			if err := b.Put([]byte("v"), value()); err != nil {
				return err
			}
		}
	case 1: // as freeing does
		var keys [][]byte
		c := tx.Cursor()
		for k, _ := c.Seek([]byte("L")); k != nil && string(k) != "Tlog" && len(keys) < r.IntN(200); k, _ = c.Next() {
			keys = append(keys, append([]byte(nil), k...))
		}
		for _, k := range keys {
			if err := tx.DeleteBucket(k); err != nil {
				return err
			}
		}
	case 2: // nothing
	case 3: // as the shelf does
		shelf, err := tx.CreateBucketIfNotExists([]byte("Tlog"))
		if err != nil {
			return err
		}
		var keys [][]byte
		c := tx.Cursor()
		for k, _ := c.Seek([]byte("L")); len(k) == 10 && k[0] == 'L' && len(keys) < r.IntN(200); k, _ = c.Next() {
			keys = append(keys, append([]byte(nil), k...))
		}
		for _, k := range keys {
			if err := tx.MoveBucket(k, nil, shelf); err != nil {
				return err
			}
		}
		c = shelf.Cursor()
		for k, _ := c.First(); k != nil && r.IntN(20) > 0; k, _ = c.First() {
			if err := shelf.DeleteBucket(k); err != nil {
				return err
			}
		}
	default: // as spaces are written
		b, err := tx.CreateBucketIfNotExists(name[:1+r.IntN(2)])
		if err != nil {
			return err
		}
		for range 1 + r.IntN(300) {
			key := []byte(fmt.Sprint(r.IntN(2000)))
			if r.IntN(3) == 0 {
				err = b.Delete(key)
			} else {
				err = b.Put(key, value()[:3])
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

package daemon

import (
	"path/filepath"
	"slices"
	"testing"

	"edged/blockstore"

	"go.etcd.io/bbolt"
)

// What a receiver saved is there after a restart, another one's is not touched, and damage is said rather than forgotten.
func TestNotesOfReceivers(t *testing.T) {
	dir := t.TempDir()
	s, end := openStore(t, dir)
	save := func(name, value string) {
		t.Helper()
		done := make(chan error, 1)
		notes{s}.Save(name, []byte(value), func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if v, err := (notes{s}).Load("a"); v != nil || err != nil {
		t.Errorf("%q %v", v, err)
	}
	save("a", "1")
	save("b", "2")
	save("a", "3")
	end()
	db, err := bbolt.Open(filepath.Join(dir, blockstore.FileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	damaged := 0
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			v := slices.Clone(b.Get([]byte("b")))
			if v == nil {
				return nil
			}
			damaged++
			v[0] ^= 1
			return b.Put([]byte("b"), v)
		})
	})
	if err != nil || damaged != 1 {
		t.Fatal(err, damaged)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, end = openStore(t, dir)
	defer end()
	if v, err := (notes{s}).Load("a"); string(v) != "3" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	if v, err := (notes{s}).Load("b"); err == nil {
		t.Errorf("damage is not said: %q", v)
	}
}

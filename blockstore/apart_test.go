package blockstore

import (
	"fmt"
	"testing"
	"time"

	"edged"

	"go.etcd.io/bbolt"
)

// A space that is seldom written has pages of its own, however small it is: no other commit writes it. Nobody sees what that takes, and it is whole after a restart, in a copy and in
// what is salvaged.
func TestASpaceApart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	put := func(p ...edged.Put) {
		t.Helper()
		s.Submit(&edged.Update{Puts: p}, false, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		step(t, s)
	}
	put(edged.Put{Space: "near", Key: "k", Value: []byte("near")}, edged.Put{Space: "far", Key: "k", Value: []byte("far"), Apart: true},
		edged.Put{Space: "later", Key: "k", Value: []byte("later")}, edged.Put{Space: "none", Key: "k", Apart: true})
	put(edged.Put{Space: "later", Key: "l", Value: []byte("more"), Apart: true})
	holds := func(s *Store) {
		t.Helper()
		for space, want := range map[string]string{"near": "k=near ", "far": "k=far ", "later": "k=later l=more ", "none": ""} {
			have := ""
			err := s.Values(space, func(key string, value []byte, err error) error {
				have += fmt.Sprintf("%s=%s ", key, value)
				return err
			})
			if err != nil || have != want {
				t.Errorf("%s has %s, %v", space, have, err)
			}
		}
		l, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, sp := range l.Spaces {
			if want := map[string]int{"near": 1, "far": 1, "later": 2}[sp.Name]; sp.Values != want || sp.Damaged > 0 {
				t.Errorf("it is listed as %+v", sp)
			}
		}
		if err := s.Verify(t.Context(), func(said string) { t.Error(said) }); err != nil {
			t.Error(err)
		}
	}
	holds(s)
	if err := s.view(func(tx *bbolt.Tx) error {
		for space, apart := range map[string]bool{"near": false, "far": true, "later": true} {
			if root := tx.Bucket(spaceKey(space)).Root(); (root != 0) != apart {
				t.Errorf("%s begins at page %d", space, root)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	copied := snapshot(t, s)
	closeStore(t, s)
	for _, dir := range []string{dir, copied} {
		s := open(t, dir, nil)
		holds(s)
		closeStore(t, s)
	}
	a, err := OpenArchive(copied + "/" + FileName)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if !a.Sound() {
		t.Errorf("it is damaged: %s", a.Why())
	}
	out := t.TempDir()
	if n, err := a.WriteTo(out+"/"+FileName, time.Now(), "old"); err != nil || n.Values != 4 || len(n.TornSpaces) > 0 {
		t.Errorf("%+v, %v", n, err)
	}
	s = open(t, out, nil)
	defer closeStore(t, s)
	holds(s)
}

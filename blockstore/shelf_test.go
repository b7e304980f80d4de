package blockstore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/blockstore/pages"

	"go.etcd.io/bbolt"
)

// shelved is how many entries are on the shelf, and how many at the top level.
func shelved(t testing.TB, s *Store) (below, top int) {
	t.Helper()
	if err := s.view(func(tx *bbolt.Tx) error {
		l := newLogCursor(tx)
		for ok := l.Seek(0); ok; ok = l.Next() {
			if l.at == 0 {
				below++
			} else {
				top++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return below, top
}

// sound fails if the file is not.
func sound(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Verify(context.Background(), func(bad string) { t.Error(bad) }); err != nil {
		t.Error(err)
	}
}

// A usual small commit writes the meta page, the page that the top level begins with, and the last leaf, however long the log is.
func TestASmallCommitWritesThreePages(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	commit := func() int64 {
		from := s.meter.bytes.Get()
		f.put(nil, noise(300))
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(1), Data: make([]byte, 100)}}}, false, func(error) {})
		step(t, s)
		return int64(s.meter.bytes.Get()-from) / pageSize
	}
	for range 3000 {
		commit()
	}
	if below, _ := shelved(t, s); below < 5500 {
		t.Fatalf("%d entries are on the shelf", below)
	}
	s.freed = time.Now().Add(time.Hour)
	var cost []int64
	for range 400 {
		cost = append(cost, commit())
	}
	sum := int64(0)
	for _, n := range cost {
		sum += n
	}
	slices.Sort(cost)
	t.Logf("%d pages in the middle, %.2f on average, %d at most", cost[200], float64(sum)/400, cost[399])
	if cost[200] > 3 || sum > 400*4 {
		t.Errorf("a commit writes %d pages, on average %.2f", cost[200], float64(sum)/400)
	}
	sound(t, s)
}

// Entries of all sizes are moved as they are, what is asked of the log is the same on both sides of the border, and what nobody needs goes from either side.
func TestEntriesOfAllSizesAreShelved(t *testing.T) {
	dir := t.TempDir()
	small := func(c *Config) { c.Keep, c.MemoryCache = 0, 1 }
	s := open(t, dir, small)
	s.shelf = shelf{most: 7, step: 5}
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(0)}}}, false, func(error) {})
	var want []string
	for i := range 60 {
		for range 1 + i%4 {
			text := fmt.Sprint(len(want), noise(len(want)*len(want)%21_001))
			f.put(nil, text)
			want = append(want, text)
		}
		step(t, s)
	}
	check := func(from int) {
		t.Helper()
		sound(t, s)
		if got := payloads(all(t, s, 0)); !slices.Equal(got, want[from:]) {
			t.Fatalf("%d of %d blocks are there, or not in order", len(got), len(want)-from)
		}
		var entries []edged.Entry
		for seq, last := uint64(0), uint64(0); ; {
			e, ok, err := s.Next(seq)
			if err != nil || !ok {
				break
			}
			if at := s.cumInFile("", e.Seq, s.cum); at <= last && len(entries) > 0 {
				t.Fatalf("before entry %d are %d bytes, before that %d", e.Seq, at, last)
			} else {
				last = at
			}
			entries, seq = append(entries, e), e.Seq+1
		}
		if oldest, err := s.Oldest(); err != nil || oldest != entries[0].Seq {
			t.Fatalf("the oldest is %d, not %d (%v)", entries[0].Seq, oldest, err)
		}
		l, err := s.List()
		if err != nil || l.Logs[0].Entries != len(entries) || l.Logs[0].First != entries[0].Seq || l.Logs[0].Last != s.End()-1 {
			t.Fatalf("listed are %+v, there are %d (%v)", l.Logs, len(entries), err)
		}
		if err := s.view(func(tx *bbolt.Tx) error {
			c, i := newLogCursor(tx), len(entries)-1
			for ok := c.Last(); ok; ok, i = c.Prev(), i-1 {
				if c.Seq() != entries[i].Seq {
					t.Fatalf("backwards comes entry %d, not %d", c.Seq(), entries[i].Seq)
				}
			}
			if i != -1 {
				t.Fatalf("%d entries are not there backwards", i+1)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	reopen := func() {
		t.Helper()
		closeStore(t, s)
		s = open(t, dir, small)
		s.shelf = shelf{most: 7, step: 5}
		s.AddSource("r", MemoryAndDisk, f)
	}
	below, top := shelved(t, s)
	if below < 100 || top > 20 {
		t.Fatalf("%d entries are on the shelf, %d are not", below, top)
	}
	check(0)
	reopen()
	check(0)
	free := func(need edged.Spans) {
		t.Helper()
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: need}}}, false, func(error) {})
		s.freed = time.Time{}
		step(t, s)
		s.freed = time.Now().Add(time.Hour)
	}
	seqs := map[string]uint64{}
	for _, e := range all(t, s, 0) {
		if e.Block != nil {
			seqs[string(e.Block.Payload(0))] = e.Seq
		}
	}
	free(edged.SpansFrom(seqs[want[70]]))
	check(70)
	f.put(nil, "one more")
	want = append(want, "one more")
	step(t, s)
	for _, e := range all(t, s, 0) {
		if e.Block != nil {
			seqs[string(e.Block.Payload(0))] = e.Seq
		}
	}
	free(edged.SpansFrom(seqs["one more"])) // the shelf is empty, or nearly
	check(len(want) - 1)
	for i := range 40 { // and is filled again
		want = append(want, fmt.Sprint("again ", i, noise(i*300)))
		f.put(nil, want[len(want)-1])
		step(t, s)
	}
	check(len(want) - 41)
	reopen()
	check(len(want) - 41)
	closeStore(t, s)
}

// What is freed above leaves what is on the shelf, and the log goes on behind it.
func TestTheTopIsFreedAndTheShelfIsNot(t *testing.T) {
	dir := t.TempDir()
	none := func(c *Config) { c.Keep = 0 }
	s := open(t, dir, none)
	s.shelf = shelf{most: 4, step: 100}
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(0)}}}, false, func(error) {})
	for i := range 20 {
		f.put(nil, fmt.Sprint(i))
		step(t, s)
	}
	end := s.End()
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.Spans{{From: 1, To: 2}}}}}, false, func(error) {})
	s.freed = time.Time{}
	step(t, s)
	closeStore(t, s)
	s = open(t, dir, none)
	defer closeStore(t, s)
	sound(t, s)
	if got := payloads(all(t, s, 0)); !slices.Equal(got, []string{"0"}) || s.End() != end {
		t.Errorf("there are %q, up to %d of %d", got, s.End(), end)
	}
}

// A store with all of its log at the top level, as salvage makes it, and one of an older format has it, is brought to the shelf little by little.
func TestALongTopIsShelvedInSteps(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	s.shelf.most = 1 << 30
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprint(i))
		f.put(nil, want[i])
		step(t, s)
	}
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	s.AddSource("r", MemoryAndDisk, f)
	s.meta.format = packedFormat // there was no room for its upgrade
	f.put(nil, "more")
	step(t, s)
	if below, _ := shelved(t, s); below != 0 {
		t.Fatalf("%d entries of an older format's store are on the shelf", below)
	}
	s.meta.format = formatVersion
	for i := 1; i < 8; i++ {
		f.put(nil, "more")
		step(t, s)
		below, top := shelved(t, s)
		if most := usualShelf.step * i; below != min(most, 2000+2*i) && top > usualShelf.most {
			t.Fatalf("after %d commits %d entries are on the shelf, %d are not", i, below, top)
		}
	}
	if _, top := shelved(t, s); top > usualShelf.most {
		t.Errorf("%d entries are at the top level", top)
	}
	if got := payloads(all(t, s, 0)); !slices.Equal(got[:1000], want) {
		t.Error("not all are there, or not in order")
	}
	sound(t, s)
}

// Whatever page of the shelf is damaged, also that which leads to all of it, the other entries are salvaged; and so they are when its name is.
func TestADamagedShelf(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes = 32 << 20 })
	s.shelf = shelf{most: 10, step: 100}
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(0)}}}, false, func(error) {})
	var want []string
	for i := range 150 {
		want = append(want, fmt.Sprint(i, noise(i*97%2500)))
		f.put(nil, want[i])
		step(t, s)
	}
	var root uint64
	if err := s.view(func(tx *bbolt.Tx) error { root = uint64(tx.Bucket(shelfBucket).Root()); return nil }); err != nil {
		t.Fatal(err)
	}
	dir := snapshot(t, s)
	closeStore(t, s)
	file, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	p := pages.New(bytes.NewReader(file), int64(len(file)), pageSize)
	good, _ := p.InForce(bootID())
	var leaves []uint64
	w := p.Walk(good[0].High, func(d pages.Damage) { t.Fatal(d) })
	w.Tree(root, func(e *pages.Element) {
		if n := len(leaves); n == 0 || leaves[n-1] != e.Page {
			leaves = append(leaves, e.Page)
		}
	})
	if len(leaves) < 10 {
		t.Fatalf("the shelf has %d leaves", len(leaves))
	}
	for _, c := range []struct {
		name   string
		damage func(b []byte)
		least  int
	}{
		{"its first page", func(b []byte) { clear(b[root*pageSize:][:pageSize]) }, 150},
		{"a leaf", func(b []byte) { clear(b[leaves[5]*pageSize:][:pageSize]) }, 130},
		{"its name", func(b []byte) { copy(b, bytes.ReplaceAll(b, []byte("Tlog"), []byte("Tlof"))) }, 150},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			b := slices.Clone(file)
			c.damage(b)
			dir := lay(t, b)
			s := tryOpen(t, dir)
			defer closeStore(t, s)
			aside(t, dir)
			got := payloads(all(t, s, 0))
			for _, g := range got {
				if !slices.Contains(want, g) {
					t.Errorf("%.10q was never stored", g)
				}
			}
			if len(got) < c.least || len(got) > len(want) {
				t.Errorf("%d of %d blocks", len(got), len(want))
			}
			sound(t, s)
		})
	}
}

// An entry that is on the shelf though older ones are not would be read out of order: that is damage.
func TestTheShelfIsBeforeTheTop(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for range 5 {
		f.put(nil, "x")
		step(t, s)
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		to, err := tx.CreateBucket(shelfBucket)
		if err != nil {
			return err
		}
		return tx.MoveBucket(logKey(5), nil, to)
	}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = tryOpen(t, dir)
	defer closeStore(t, s)
	aside(t, dir)
	if got := all(t, s, 0); len(got) != 10 || got[4].Seq != 5 {
		t.Errorf("salvaged are %d", len(got))
	}
}

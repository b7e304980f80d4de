package blockstore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/blockstore/pages"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
)

// names are the files of a directory.
func names(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

// sampleStore makes a store with n blocks, results, cursors and values, as a kill leaves it, and returns its bytes and the blocks' payloads.
func sampleStore(t testing.TB, n int) (file []byte, want []string) {
	t.Helper()
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes = 32 << 20 })
	s.shelf = shelf{most: 9, step: 20} // of more than four
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for i := range n {
		text := fmt.Sprintf("%04d", i) + strings.Repeat("x", i*311%9000) // packed
		if i%2 == 0 {
			text = fmt.Sprintf("%04d", i) + noise(i*311%9000) // not packed
		}
		f.put(nil, text)
		want = append(want, text)
		s.Submit(&edged.Update{
			Results: []edged.Result{{Stream: "pins", Cause: uint64(i), Rows: 1, Data: []byte("\x01\x04pins\x00row")}},
			Cursors: []edged.Cursor{
				{Name: "stream/pins", Need: edged.SpansFrom(1), Data: []byte{byte(i)}},
				{Name: "delivery/pins/away", Log: "pins", Need: edged.SpansFrom(1), Data: []byte("{}")},
				{Name: "sink/away", Data: []byte("{}")},
			},
			Puts: []edged.Put{{Space: "retained", Key: fmt.Sprint("t/", i), Value: []byte(text)}, {Space: "definitions", Key: "pins", Value: []byte(fmt.Sprint(i)), Apart: n > 4}},
		}, false, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		step(t, s)
	}
	dir := snapshot(t, s)
	closeStore(t, s)
	file, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	return file, want
}

// lay puts a file into a new directory.
func lay(t testing.TB, file []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tryOpen(t testing.TB, dir string) *Store {
	t.Helper()
	c := Default()
	c.MaxBytes = 32 << 20
	s, err := Open(dir, c, quiet, metrics.NewSet())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func aside(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, FileName+".corrupt-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("set aside: %v %v; there is %s", found, err, names(t, dir))
	}
	return found[0]
}

// What is no store at all is set aside as it is, and said.
func TestWhatIsNoStoreIsSetAside(t *testing.T) {
	for name, text := range map[string]string{"text": strings.Repeat("not a database\n", 1000), "zeros": strings.Repeat("\x00", 65536), "short": "x", "empty": ""} {
		dir := lay(t, []byte(text))
		s := tryOpen(t, dir)
		notes := s.Notes()
		if len(notes) != 1 || notes[0].File != aside(t, dir) || !strings.Contains(notes[0].Sentence(), aside(t, dir)) {
			t.Errorf("%s: %+v", name, notes)
		}
		if kept, _ := os.ReadFile(aside(t, dir)); string(kept) != text {
			t.Errorf("%s: the file was changed", name)
		}
		closeStore(t, s)
		s = tryOpen(t, dir) // and it is still said
		if again := s.Notes(); len(again) != 1 || again[0].Sentence() != notes[0].Sentence() {
			t.Errorf("%s: after another start: %+v", name, again)
		}
		closeStore(t, s)
	}
}

func TestADirectoryInItsPlaceIsSetAside(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, FileName, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := tryOpen(t, dir)
	defer closeStore(t, s)
	if fi, err := os.Stat(filepath.Join(aside(t, dir), "inside")); err != nil || !fi.IsDir() {
		t.Error(err)
	}
	if n := s.Notes(); len(n) != 1 || !strings.Contains(n[0].Sentence(), "directory") {
		t.Errorf("%+v", n)
	}
}

// One meta page is enough to find everything of the last commit, whichever it is; without both, what lies about is enough.
func TestDamagedMetaPages(t *testing.T) {
	file, want := sampleStore(t, 25)
	for _, c := range []struct {
		name   string
		damage func(b []byte)
	}{
		{"first zeroed", func(b []byte) { clear(b[:pageSize]) }},
		{"second zeroed", func(b []byte) { clear(b[pageSize : 2*pageSize]) }},
		{"both zeroed", func(b []byte) { clear(b[:2*pageSize]) }},
		{"both with a flipped bit", func(b []byte) { b[70] ^= 4; b[pageSize+70] ^= 4 }},
		{"a flipped bit in the first", func(b []byte) { b[33] ^= 4 }},
		{"a flipped bit in the second", func(b []byte) { b[pageSize+33] ^= 4 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := slices.Clone(file)
			c.damage(b)
			dir := lay(t, b)
			s := tryOpen(t, dir)
			defer closeStore(t, s)
			if got := payloads(all(t, s, 0)); !slices.Equal(got, want) {
				t.Errorf("%d of %d blocks", len(got), len(want))
			}
			if len(s.Notes()) != 1 {
				t.Errorf("%+v", s.Notes())
			}
			for _, name := range []string{"stream/pins", "delivery/pins/away", "sink/away"} {
				if c, ok := s.Cursor(name); !ok || c.Lost || name == "stream/pins" && len(c.Data) != 1 {
					t.Errorf("%s: %+v %t", name, c, ok)
				}
			}
			// A result and the position of its stream are one commit: of two states of the file, both are of one, or the stream would give it once more.
			stream, _ := s.Cursor("stream/pins")
			results := 0
			for at := uint64(0); ; results++ {
				r, ok, err := s.NextResult("pins", at)
				if !ok || err != nil {
					break
				}
				at = r.Seq + 1
			}
			if known := int(stream.Data[0]) + 1; results != known {
				t.Errorf("%d results, and their stream knows of %d", results, known)
			}
			n := 0
			if err := s.Values("retained", func(_ string, _ []byte, err error) error { n++; return err }); err != nil || n < 24 {
				t.Errorf("%d retained, %v", n, err)
			}
			if s.ResultEnd("pins") <= 25 || s.End() <= 50 {
				t.Errorf("numbers could be used again: %d %d", s.ResultEnd("pins"), s.End())
			}
		})
	}
}

// A damaged cursor is found again in an older copy, or counts as lost: it holds everything.
func TestADamagedCursor(t *testing.T) {
	file, _ := sampleStore(t, 10)
	for _, name := range []string{"stream/pins", "delivery/pins/away", "sink/away"} {
		flip(t, file, "Tcursors", name)
	}
	settled(file) // else it would be the newest transaction that is damaged, and more than values
	dir := lay(t, file)
	s := tryOpen(t, dir)
	if c, ok := s.Cursor("stream/pins"); !ok || c.Lost || len(c.Data) != 1 {
		t.Errorf("an older copy is there: %+v %t", c, ok)
	}
	if c, ok := s.Cursor("sink/away"); !ok || !c.Lost || len(c.Need) > 0 {
		t.Errorf("a receipt must not be older than the rest: %+v %t", c, ok)
	}
	if n := s.Notes(); len(n) != 1 || n[0].File != "" || len(n[0].OldCursors) != 2 || len(n[0].LostCursors) != 1 {
		t.Errorf("%+v", n)
	}
	// Now every copy of a cursor's value is damaged.
	err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(cursorsBucket).Put([]byte("delivery/pins/never"), []byte("no copy of this lies about"))
	})
	if err != nil {
		t.Fatal(err)
	}
	before := s.ResultEnd("pins")
	closeStore(t, s)
	for range 2 {
		s = tryOpen(t, dir)
		never, ok := s.Cursor("delivery/pins/never")
		if at, some := never.Need.Next(0); !ok || !never.Lost || never.Log != "pins" || !some || at != 0 {
			t.Errorf("no copy is there: %+v %t", never, ok)
		}
		if end := s.ResultEnd("pins"); end <= before || edged.CountOf(end) != edged.CountOf(before) {
			t.Errorf("numbers go on at %d, before %d", end, before)
		}
		if n := s.Notes(); len(n) != 2 {
			t.Errorf("%d notes", len(n))
		}
		closeStore(t, s)
	}
}

// settled has a file's newest transaction be known as one that is on disk.
func settled(file []byte) {
	p := pages.New(bytes.NewReader(file), int64(len(file)), pageSize)
	for _, m := range p.Metas() {
		s := pages.Seal{Tx: m.Tx}
		seal, _ := s.Append(nil)
		copy(file[int(m.Page)*pageSize+pages.SealAt:], seal)
	}
}

// flip flips a bit of a value in a store's file, as its newest state has it.
func flip(t testing.TB, file []byte, bucket, key string) {
	t.Helper()
	p := pages.New(bytes.NewReader(file), int64(len(file)), pageSize)
	good, _ := p.InForce(bootID())
	done := false
	s := &survey{p: p, bucket: func(name string, vs []value, _ bool, _ int) {
		for _, v := range vs {
			if name == bucket && v.key == key {
				file[v.off+int64(v.n)-5] ^= 1
				done = true
			}
		}
	}}
	s.walk(good[0])
	if !done {
		t.Fatalf("%s has no %s", bucket, key)
	}
}

// Damaged values of spaces are said, and their bytes kept; the others are read.
func TestADamagedValue(t *testing.T) {
	file, _ := sampleStore(t, 5)
	dir := lay(t, file)
	s := tryOpen(t, dir)
	var was []byte
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(spaceKey("retained"))
		was = slices.Clone(b.Get([]byte("t/3")))
		was[0] ^= 1
		// A value under a key that is not its own is as damaged as one with other bytes.
		return firstErr(b.Put([]byte("t/3"), was), b.Put([]byte("t/9"), slices.Clone(b.Get([]byte("t/4")))))
	})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	for range 2 {
		s = tryOpen(t, dir)
		good, bad := 0, 0
		s.Values("retained", func(key string, _ []byte, err error) error {
			if err != nil {
				bad++
			} else {
				good++
			}
			return nil
		})
		if good != 4 || bad != 2 {
			t.Errorf("%d good, %d bad", good, bad)
		}
		if n := s.Notes(); len(n) != 1 || !strings.Contains(n[0].Sentence(), `retained "t/3", retained "t/9"`) {
			t.Errorf("%+v", n)
		}
		s.view(func(tx *bbolt.Tx) error {
			if kept := tx.Bucket(asideBucket).Get(asideKey("Sretained", "t/3")); !slices.Equal(kept, was) {
				t.Errorf("its bytes were not kept: %q", kept)
			}
			return nil
		})
		closeStore(t, s)
	}
}

func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// The newest tick is damaged: the totals go on from the one before, and from the blocks since.
func TestADamagedNewestTick(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for range 5 {
		f.put(nil, "x")
		step(t, s)
	}
	want := s.LastTick()
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(logKey(want.Seq))
		v := slices.Clone(b.Get(valueKey))
		v[len(v)-6] ^= 1
		return b.Put(valueKey, v)
	})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	s.AddSource("r", MemoryAndDisk, f)
	s.SetRouter(counts{})
	got := s.LastTick()
	if got.Receivers[0] != want.Receivers[0] {
		t.Errorf("have %+v, want %+v", got.Receivers, want.Receivers)
	}
	if n, ok := got.RoutedTo("all"); !ok || n != 1 { // of the block behind the tick before; ticks before had no router
		t.Errorf("routed: %d %t", n, ok)
	}
	if s.End() != want.Seq+1 {
		t.Errorf("the log ends at %d", s.End())
	}
	f.put(nil, "x")
	step(t, s)
	if s.LastTick().Receivers[0].Stored != 6 {
		t.Errorf("then %+v", s.LastTick().Receivers)
	}
}

// counts routes every message to the stream "all".
type counts struct{}

func (counts) Streams() []string { return []string{"all"} }
func (counts) Count(b *edged.Block, add func(string, uint64)) {
	add("all", uint64(b.Len()))
}

package blockstore

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
)

// FuzzOpen damages a small store, and opens, reads and writes what came of it. Edits are triples: where, as a share of the file; what to
// do; with which byte.
func FuzzOpen(f *testing.F) {
	file, _ := sampleStore(f, 12)
	f.Add([]byte{})
	f.Add([]byte{0, 0, 1, 0})
	f.Add([]byte{0, 10, 2, 0, 128, 0, 1, 255})
	f.Add([]byte{64, 0, 3, 0})
	f.Fuzz(func(t *testing.T, edits []byte) {
		b := append([]byte(nil), file...)
		for ; len(edits) >= 4 && len(b) > 0; edits = edits[4:] {
			at := (int(edits[0])<<8 | int(edits[1])) * len(b) >> 16
			switch edits[2] % 4 {
			case 0:
				b[at] ^= edits[3]
			case 1:
				b[at] = edits[3]
			case 2:
				clear(b[at:min(len(b), at+16*int(edits[3]))])
			case 3:
				b = b[:at]
			}
		}
		use(t, b)
	})
}

// use opens a damaged store, reads everything, writes, and opens it again.
func use(t *testing.T, file []byte) {
	t.Helper()
	dir := lay(t, file)
	for range 2 {
		c := Default()
		c.MaxBytes = 32 << 20
		s, err := Open(dir, c, quiet, metrics.NewSet())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Claim([]string{"stream/pins", "delivery/pins/away", "sink/away"}); err != nil {
			t.Fatal(err)
		}
		before := s.End()
		for _, name := range []string{"stream/pins", "delivery/pins/away", "sink/away"} {
			if _, ok := s.Cursor(name); !ok {
				t.Errorf("%s is gone, and nobody knows it", name)
			}
		}
		all(t, s, 0)
		for seq := uint64(1); seq < s.ResultEnd("pins"); {
			r, ok, _ := s.NextResult("pins", seq)
			if !ok {
				break
			}
			seq = r.Seq + 1
		}
		s.Values("retained", func(string, []byte, error) error { return nil })
		if err := s.Verify(context.Background(), func(string) {}); err != nil {
			t.Error(err)
		}
		if _, err := s.List(); err != nil {
			t.Error(err)
		}
		src := &feed{name: "r", wall: 1 << 40}
		s.AddSource("r", MemoryAndDisk, src)
		b := src.put(nil, "new")
		s.Submit(&edged.Update{Puts: []edged.Put{{Space: "retained", Key: "t/1", Value: []byte("new")}}}, false, func(error) {})
		step(t, s)
		if b.Seq < before {
			t.Errorf("number %d is given, the log ended at %d", b.Seq, before)
		}
		if got := payloads(all(t, s, b.Seq)); len(got) != 1 || got[0] != "new" {
			t.Errorf("what was stored reads as %q", got)
		}
		closeStore(t, s)
	}
}

// An interruption at any step of a salvage, or of the making of a store, loses nothing: the next start goes on.
func TestAnInterruptedSalvageGoesOn(t *testing.T) {
	file, want := sampleStore(t, 8)
	clear(file[:2*pageSize])
	salvaged := func(dir string) {
		t.Helper()
		s := tryOpen(t, dir)
		defer closeStore(t, s)
		if got := payloads(all(t, s, 0)); len(got) != len(want) {
			t.Errorf("%d of %d blocks; there is %s", len(got), len(want), names(t, dir))
		}
		if len(s.Notes()) != 1 {
			t.Errorf("%d notes", len(s.Notes()))
		}
		if _, err := os.Stat(filepath.Join(dir, newName)); err == nil {
			t.Error("a file is left over")
		}
		aside(t, dir)
	}
	// While the new file was written.
	dir := lay(t, file)
	if err := os.WriteFile(filepath.Join(dir, newName), file[:len(file)/3], 0o600); err != nil {
		t.Fatal(err)
	}
	salvaged(dir)
	// After it was written, before the old one had its other name.
	dir = lay(t, file)
	if _, err := Salvage(filepath.Join(dir, FileName), filepath.Join(dir, newName)); err != nil {
		t.Fatal(err)
	}
	salvaged(dir)
	// After that, before the new one had the store's name.
	dir = lay(t, file)
	if _, err := Salvage(filepath.Join(dir, FileName), filepath.Join(dir, newName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, FileName), filepath.Join(dir, FileName+".corrupt-20260102T030405Z")); err != nil {
		t.Fatal(err)
	}
	salvaged(dir)
	// A new file without its end, and no store: it is made again.
	dir = t.TempDir()
	db, err := newFile(filepath.Join(dir, newName))
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	s := tryOpen(t, dir)
	defer closeStore(t, s)
	if len(s.Notes()) != 0 || names(t, dir) != FileName {
		t.Errorf("%d notes, there is %s", len(s.Notes()), names(t, dir))
	}
}

// A disk without room for the copy leaves the damaged store as it is, and nothing beside it; the start says why, and the next one with
// room succeeds.
func TestASalvageWithoutRoomChangesNothing(t *testing.T) {
	if os.Getenv("EDGED_TEST_NO_ROOM") != "" {
		c := Default()
		_, err := Open(os.Getenv("EDGED_TEST_NO_ROOM"), c, quiet, metrics.NewSet())
		fmt.Println(err)
		return
	}
	file, _ := sampleStore(t, 60)
	clear(file[:pageSize])
	dir := lay(t, file)
	// No process may make a file larger than 64 KiB: EFBIG, where a full disk says ENOSPC.
	cmd := exec.Command("/bin/sh", "-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" -test.run '^TestASalvageWithoutRoomChangesNothing$'", os.Args[0])
	cmd.Env = append(os.Environ(), "EDGED_TEST_NO_ROOM="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, part := range []string{"is damaged", "nothing was changed", "make room"} {
		if !strings.Contains(string(out), part) {
			t.Errorf("it says %s", out)
		}
	}
	if kept, _ := os.ReadFile(filepath.Join(dir, FileName)); string(kept) != string(file) || names(t, dir) != FileName {
		t.Errorf("something was changed: %s", names(t, dir))
	}
	s := tryOpen(t, dir)
	defer closeStore(t, s)
	if len(s.Notes()) != 1 {
		t.Error("no note")
	}
}

// A compacted store is smaller, and the same.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, func(c *Config) { c.Keep = 0; c.MaxBytes = 32 << 20 })
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for range 30 {
		f.put(nil, noise(100<<10))
		step(t, s)
	}
	s.Submit(&edged.Update{Puts: []edged.Put{{Space: "retained", Key: "k", Value: []byte("v")}}}, false, func(error) {})
	s.freed = s.freed.Add(-freeEvery)
	step(t, s)
	uuid, end := s.UUID(), s.End()
	if _, _, err := Compact(dir); err == nil {
		t.Error("a store that is open was compacted")
	}
	closeStore(t, s)
	before, after, err := Compact(dir)
	if err != nil || after*4 > before {
		t.Errorf("%d bytes, before %d: %v", after, before, err)
	}
	s = tryOpen(t, dir)
	defer closeStore(t, s)
	n := 0
	s.Values("retained", func(_ string, v []byte, err error) error { n++; return err })
	if s.UUID() != uuid || s.End() != end || n != 1 || names(t, dir) != FileName {
		t.Errorf("%s %d, %d values; there is %s", s.UUID(), s.End(), n, names(t, dir))
	}
}

// A store of format 1, whose values are sealed without their keys, is brought to the present one.
func TestFormat1IsUpgraded(t *testing.T) {
	file, _ := sampleStore(t, 4) // nothing is on the shelf: there was none
	dir := lay(t, file)
	s := tryOpen(t, dir)
	err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			old := map[string][]byte{}
			if name[0] != spacePrefix && name[0] != ownPrefix {
				return nil
			}
			_ = b.ForEach(func(k, v []byte) error {
				body := append([]byte(nil), v[:len(v)-4]...)
				if string(k) == keyFormat {
					body = []byte{1, 0, 0, 0}
				}
				old[string(k)] = seal(body)
				return nil
			})
			for k, v := range old {
				if err := b.Put([]byte(k), v); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	for range 2 {
		s = tryOpen(t, dir)
		if len(s.Notes()) != 0 || s.meta.format != formatVersion {
			t.Errorf("format %d, notes %+v", s.meta.format, s.Notes())
		}
		if c, ok := s.Cursor("stream/pins"); !ok || c.Lost || len(c.Data) != 1 {
			t.Errorf("%+v %t", c, ok)
		}
		n := 0
		if err := s.Values("retained", func(_ string, _ []byte, err error) error { n++; return err }); err != nil || n != 4 {
			t.Errorf("%d values, %v", n, err)
		}
		closeStore(t, s)
	}
}

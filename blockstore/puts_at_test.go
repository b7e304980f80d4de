package blockstore

import (
	"encoding/binary"
	"slices"
	"syscall"
	"testing"

	"edged"
)

// A value that is made when the commit is written knows where the log ends with it, and that is where the log ends in the next life too, so that what comes
// then stands behind it: also if there was no room at first, and the commit was written without what publishers bring.
func TestAValueIsMadeWithItsCommit(t *testing.T) {
	for name, c := range map[string]struct {
		blocks, full bool
		calls        int
	}{
		"with blocks": {blocks: true, calls: 1}, "alone": {calls: 1},
		"with blocks, for which there was no room": {blocks: true, full: true, calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, nil)
			f := &feed{name: "r"}
			s.AddSource("r", MemoryAndDisk, f)
			f.put(nil, "before")
			step(t, s)
			began := s.End()
			var ends []uint64
			p := edged.Put{Space: "x", Key: "k", Value: make([]byte, 8), At: func(end uint64) []byte {
				ends = append(ends, end)
				return binary.BigEndian.AppendUint64(nil, end)
			}}
			intake := p
			intake.Key = "intake"
			var told, toldIntake error
			s.Submit(&edged.Update{Puts: []edged.Put{p}}, false, func(err error) { told = err })
			if c.full {
				s.Submit(&edged.Update{Intake: true, Puts: []edged.Put{intake}}, false, func(err error) { toldIntake = err })
				d := watch(s)
				d.failAt, d.err = 1, syscall.ENOSPC
			}
			if c.blocks {
				f.put(nil, "with it")
			}
			step(t, s)
			made := map[string]uint64{}
			read := func() {
				t.Helper()
				if err := s.Values("x", func(key string, value []byte, err error) error {
					made[key] = binary.BigEndian.Uint64(value)
					return err
				}); err != nil {
					t.Error(err)
				}
			}
			read()
			own := slices.Clone(ends)
			if c.full {
				if own = slices.Compact(own); toldIntake == nil {
					t.Error("what publishers bring had room: the test shows nothing")
				}
			}
			if told != nil || len(own) != c.calls || made["k"] != s.End() || made["k"] != own[len(own)-1] || len(made) != 1 || c.blocks && s.End() <= began {
				t.Errorf("%v; values %v, made for the ends %v; the log ended at %d and ends at %d", told, made, ends, began, s.End())
			}
			s.retry = nil // as if it were killed before there is room
			closeStore(t, s)
			s = open(t, dir, nil)
			if read(); made["k"] != s.End() {
				t.Errorf("it says %d, and the next life's log begins at %d", made["k"], s.End())
			}
			closeStore(t, s)
		})
	}
}

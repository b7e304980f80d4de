package blockstore

import (
	"testing"
	"time"

	"edged"
)

// commitCost is the number of bytes that a commit of one small block writes, on average over n commits in a store whose
// consumer keeps up.
func commitCost(t *testing.T, s *Store, f *feed, n int) int64 {
	t.Helper()
	from, commits := s.meter.bytes.Get(), s.meter.commits.Get()
	for i := range n {
		f.put(nil, noise(1500))
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(s.End()), Data: make([]byte, 100)}}}, false, func(error) {})
		if i%25 == 0 {
			s.freed = time.Time{}
		}
		step(t, s)
	}
	return int64(s.meter.bytes.Get()-from) / int64(s.meter.commits.Get()-commits)
}

// A store that was filled and drained commits as cheaply as a fresh one: with the free list written, every commit after a
// backlog of 900 MB wrote 1.8 MB.
func TestADrainedStoreIsAsCheapAsAFreshOne(t *testing.T) {
	const n = 200
	s := open(t, t.TempDir(), func(c *Config) { c.Keep = 0 })
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	commitCost(t, s, f, n) // the steady state, with freeing
	fresh := commitCost(t, s, f, n)

	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "dead", Need: edged.SpansFrom(s.End())}}}, false, func(error) {})
	for range 1200 {
		for range 10 {
			f.put(nil, noise(3700))
		}
		step(t, s)
	}
	if s.Space().Used < 40<<20 {
		t.Fatalf("only %d bytes filled", s.Space().Used)
	}
	s.Submit(&edged.Update{Forget: []string{"dead"}, Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(s.End())}}}, false, func(error) {})
	for range 10 {
		f.put(nil, "x")
		s.freed = time.Time{}
		step(t, s)
	}
	if used := s.Space().Used; used > 4<<20 {
		t.Fatalf("%d bytes still used after the drain", used)
	}
	drained := commitCost(t, s, f, n)
	t.Logf("bytes a commit of 1.5 kB: fresh %d, after a drained backlog %d", fresh, drained)
	if drained > fresh*12/10 {
		t.Fatalf("a commit writes %d bytes in a fresh store and %d after a drained backlog", fresh, drained)
	}
	closeStore(t, s)
}

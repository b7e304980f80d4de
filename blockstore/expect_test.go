package blockstore

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"edged"
)

// What comes before a new consumer has opened is there for it, also if nothing else holds it, keep is 0 and the cache is wanted: of the block log, of
// result logs, and of what is only in memory. Then it goes. A consumer that is not to come any more holds nothing.
func TestWhatComesBeforeItsConsumerIsThere(t *testing.T) {
	for _, level := range []Level{MemoryAndDisk, Memory} {
		s := open(t, t.TempDir(), func(c *Config) { c.Keep = 0 })
		f := &feed{name: "r"}
		s.AddSource("r", level, f)
		s.Expect([]string{"late", "results"})
		commit := func(u *edged.Update) {
			t.Helper()
			s.freed = time.Time{}
			u.Puts = append(u.Puts, edged.Put{Space: "x", Key: "y", Value: []byte("z")})
			s.Submit(u, false, func(error) {})
			step(t, s)
		}
		there := func(want bool) {
			t.Helper()
			if have := holdsBlocks(t, s); have != want {
				t.Errorf("level %v: the block is there: %t", level, have)
			}
		}
		result := func(want bool) {
			t.Helper()
			r, ok, err := s.NextResult("windows", 1)
			if ok = ok && r.Rows > 0; err != nil || ok != want {
				t.Errorf("level %v: the result is there: %t, %v", level, ok, err)
			}
		}
		f.put(nil, "m")
		commit(&edged.Update{Results: []edged.Result{{Stream: "windows", Rows: 1, Data: []byte("r")}}})
		for range 3 {
			commit(&edged.Update{Cursors: []edged.Cursor{{Name: "early", Need: edged.SpansFrom(s.End())}}})
		}
		there(true)
		result(true)
		commit(&edged.Update{Cursors: []edged.Cursor{{Name: "late", Need: edged.SpansFrom(1)}}})
		commit(&edged.Update{})
		there(true)
		result(true)
		commit(&edged.Update{Cursors: []edged.Cursor{{Name: "results", Log: "windows", Need: edged.SpansFrom(1)}}})
		commit(&edged.Update{})
		there(true)
		result(true)
		commit(&edged.Update{Cursors: []edged.Cursor{{Name: "late", Need: edged.SpansFrom(s.End())}, {Name: "early"}, {Name: "results", Log: "windows", Need: edged.SpansFrom(2)}}})
		commit(&edged.Update{})
		there(false)
		result(false)
		s.Expect([]string{"late", "never"})
		f.put(nil, "m")
		commit(&edged.Update{})
		end := s.End()
		commit(&edged.Update{Cursors: []edged.Cursor{{Name: "late", Need: edged.SpansFrom(end)}}})
		commit(&edged.Update{})
		there(true)
		s.Expect([]string{"late"})
		commit(&edged.Update{})
		there(false)
		closeStore(t, s)
	}
}

// keep holds from the first block on, whichever epoch it begins.
func TestTheFirstBlockIsKept(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r", epoch: 7}
	s.AddSource("r", MemoryAndDisk, f)
	f.put(nil, "m")
	s.freed = time.Time{}
	step(t, s)
	if !holdsBlocks(t, s) {
		t.Error("it is gone")
	}
}

// holdsBlocks reports whether there are blocks that a new consumer would find.
func holdsBlocks(t *testing.T, s *Store) bool {
	t.Helper()
	oldest, err := s.Oldest()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all(t, s, oldest), func(e edged.Entry) bool { return e.Block != nil })
}

// A rewiring says who is expected from then on.
func TestARewiringExpectsNewConsumers(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.Keep = 0 })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	go func() { ended <- s.Run(ctx) }()
	w := Wiring{Sources: []SourceOf{{"r", MemoryAndDisk, f}}, Router: counts{}, Cursors: []string{"new"}}
	if err := s.Rewire(ctx, w); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if !s.awaits(nil) || s.awaits(map[string]edged.Cursor{"new": {}}) {
		t.Error("the new consumer is not expected")
	}
	closeStore(t, s)
}

// A cursor whose commit failed has not come.
func TestACursorThatWasNotCommittedIsStillAwaited(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.Keep = 0 })
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.Expect([]string{"new"})
	f.put(nil, "m")
	step(t, s)
	d := watch(s)
	d.failAt, d.err = d.writes+1, syscall.ENOSPC
	s.freed = time.Time{}
	var refused error
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "new", Need: edged.SpansFrom(1)}}}, false, func(err error) { refused = err })
	step(t, s)
	if !d.hit || refused == nil {
		t.Fatalf("nothing failed: %t, %v", d.hit, refused)
	}
	s.freed = time.Time{}
	s.Submit(&edged.Update{Puts: []edged.Put{{Space: "x", Key: "y", Value: []byte("z")}}}, false, func(error) {})
	step(t, s)
	if !holdsBlocks(t, s) {
		t.Error("what the new consumer was to get is gone")
	}
}

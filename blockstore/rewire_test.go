package blockstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"edged"
	"edged/test/await"
)

// countAs is a router that counts every message for one stream.
type countAs string

func (c countAs) Streams() []string { return []string{string(c)} }
func (c countAs) Count(b *edged.Block, add func(string, uint64)) {
	add(string(c), uint64(b.Len()))
}

// refusing is a source that has refused messages.
type refusing struct {
	*feed
	rejected uint64
}

func (r *refusing) Cut(limit int64) edged.Handover {
	h := r.feed.Cut(limit)
	h.Rejected = r.rejected
	return h
}

// Everything that takes part changes between two commits: blocks before it were counted by the old router, and a tick says so; those behind it
// by the new one. What a source refused is counted once, whoever has its name.
func TestRewire(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	old, mem := &refusing{&feed{name: "r"}, 3}, &feed{name: "m"}
	gone := &rider{}
	s.AddSource("r", MemoryAndDisk, old)
	s.AddSource("m", Memory, mem)
	s.AddRider(gone)
	s.SetRouter(countAs("a"))
	old.put(nil, "1", "2")
	step(t, s)
	mem.put(nil, "3")
	step(t, s) // in the log, and no tick says so yet
	if !s.untold {
		t.Fatal("nothing is untold: the test shows nothing")
	}
	old.rejected = 5
	next := &refusing{&feed{name: "r", wall: old.wall}, 0}
	done := make(chan error, 1)
	go func() {
		done <- s.Rewire(t.Context(), Wiring{Sources: []SourceOf{{"r", MemoryAndDisk, next}, {"m", Memory, mem}}, Router: countAs("b")})
	}()
	await.Soon(t, "it waits for the committer", s.rewires)
	s.rewire()
	if !s.rewires() {
		t.Fatal("it was done before a tick")
	}
	step(t, s)
	if n, ok := s.LastTick().RoutedTo("a"); !ok || n != 3 {
		t.Errorf("of the old router: %d %v", n, ok)
	}
	s.rewire()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	gone.ride = &edged.Update{Cursors: []edged.Cursor{{Name: "stale"}}}
	next.rejected = 1
	next.put(nil, "4")
	step(t, s)
	tick := s.LastTick()
	if n, ok := tick.RoutedTo("b"); !ok || n != 1 {
		t.Errorf("of the new router: %d %v", n, ok)
	}
	if _, ok := tick.RoutedTo("a"); ok {
		t.Error("somebody still counts for the old one")
	}
	if r := tick.Receivers[0]; r.Rejected != 6 || r.Stored != 3 {
		t.Errorf("%+v", r)
	}
	if _, ok := s.Cursor("stale"); ok || gone.ride == nil {
		t.Error("a rider that was left out was asked")
	}
}

// Nobody waits for a committer that has ended.
func TestRewireAfterTheEnd(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Rewire(t.Context(), Wiring{Router: countAs("a")}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if err := s.Rewire(short, Wiring{Router: countAs("a")}); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

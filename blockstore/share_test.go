package blockstore

import (
	"context"
	"strings"
	"testing"
	"time"

	"edged"
)

// taken is how many bytes of blocks a round takes of what waits, and how many blocks.
func taken(s *Store) (bytes int64, blocks int) {
	r := s.gather()
	for _, p := range r.parcels {
		bytes += p.Block.Size()
		p.Done(nil)
	}
	return bytes, len(r.parcels)
}

// What waits is stored in rounds of bounded size, one behind the other, in order, and each source has its part in each of them.
func TestARoundIsBounded(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer s.Close()
	sources := []*feed{{name: "a"}, {name: "b"}, {name: "c"}}
	left := 0
	for _, f := range sources {
		s.AddSource(f.name, MemoryAndDisk, f)
		for range 16 {
			f.put(nil, strings.Repeat("x", 500<<10))
			left++
		}
	}
	for rounds := 0; left > 0; rounds++ {
		before := [3]int{len(sources[0].queue), len(sources[1].queue), len(sources[2].queue)}
		bytes, blocks := taken(s)
		if left -= blocks; bytes > roundBytes+3*(1<<20) || blocks == 0 || rounds > 16 {
			t.Fatalf("round %d takes %d blocks of %d bytes", rounds, blocks, bytes)
		}
		for i, f := range sources {
			if before[i] > 0 && len(f.queue) == before[i] {
				t.Errorf("round %d takes nothing of source %s", rounds, f.name)
			}
		}
		if s.pace.more != (left > 0) {
			t.Fatalf("%d blocks wait, and the next round comes at once: %v", left, s.pace.more)
		}
		if s.saidFull {
			t.Fatal("the store says that it is full")
		}
	}
}

// A block that is larger than a round is a round of its own.
func TestALargeBlockIsARound(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer s.Close()
	f := &feed{name: "a"}
	s.AddSource("a", MemoryAndDisk, f)
	f.put(nil, strings.Repeat("x", 5<<20))
	f.put(nil, "small")
	if bytes, blocks := taken(s); bytes < 5<<20 || blocks > 2 {
		t.Errorf("%d blocks of %d bytes are taken", blocks, bytes)
	}
}

// Flush takes everything, whatever else is under way; without the committer's cadence the rounds behind the first one come at once.
func TestFlushTakesEverything(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.CommitInterval = 3600e9 })
	defer s.Close()
	f := &feed{name: "a"}
	s.AddSource("a", MemoryAndDisk, f)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	for range 12 {
		f.put(nil, strings.Repeat("x", 900<<10))
	}
	go func() { ran <- s.Run(ctx) }()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.End() - 1; n < 12 {
		t.Errorf("%d entries are in the log when Flush returns", n)
	}
	stored := make(chan error, 1)
	for range 12 {
		f.put(nil, strings.Repeat("x", 900<<10))
	}
	f.put(func(err error) { stored <- err }, "last")
	began := time.Now()
	s.Waiting() // one early round; those behind it need no reason
	if err := <-stored; err != nil || time.Since(began) > time.Hour/2 {
		t.Error(err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
}

// The stop takes everything that waits.
func TestTheStopTakesEverything(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.CommitInterval = 3600e9 })
	defer s.Close()
	f := &feed{name: "a"}
	s.AddSource("a", MemoryAndDisk, f)
	for range 12 {
		f.put(nil, strings.Repeat("x", 900<<10))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(f.queue) > 0 {
		t.Errorf("%d blocks were left", len(f.queue))
	}
}

// What waits for the store, what is only in memory, and what is kept of what was stored, are bounded together.
func TestTheCacheMakesRoomForWhatWaits(t *testing.T) {
	c := newCache(16 << 20)
	seq := uint64(0)
	add := func(n int, k keep) {
		for range n {
			seq++
			c.add(entry{Entry: edged.Entry{Seq: seq}, bytes: 1 << 20, keep: k})
			c.get(seq)
		}
	}
	if add(30, cached); c.size != 16<<20 {
		t.Errorf("%d bytes are kept", c.size)
	}
	c.waiting = 6 << 20
	if add(1, cached); c.size != 10<<20 {
		t.Errorf("%d bytes are kept beside 6 MiB that wait", c.size)
	}
	if add(4, inMemory); c.size != 6<<20 || c.memory != 4<<20 {
		t.Errorf("%d bytes are kept beside 6 MiB that wait and 4 MiB that are only here", c.size)
	}
	c.waiting = 1 << 30
	if add(1, cached); c.size > 1<<20 || c.memory != 4<<20 {
		t.Errorf("%d bytes are kept beside very much that waits, and %d that are only here", c.size, c.memory)
	}
}

// A cache that nobody reads is kept small, until somebody does.
func TestACacheThatNobodyReadsIsSmall(t *testing.T) {
	c := newCache(16 << 20)
	seq := uint64(0)
	add := func(n int) {
		for range n {
			seq++
			c.add(entry{Entry: edged.Entry{Seq: seq}, bytes: 1 << 20, keep: cached})
		}
	}
	if add(unreadTimes * 16); c.size != 16<<20 {
		t.Errorf("%d bytes are kept", c.size)
	}
	c.get(1) // long gone
	if add(1); c.size != 16<<20/unreadPart {
		t.Errorf("%d bytes are kept that nobody reads", c.size)
	}
	if _, ok := c.get(seq - 3); !ok {
		t.Error("what came last is not there")
	}
	if add(20); c.size != 16<<20 {
		t.Errorf("%d bytes are kept that somebody reads", c.size)
	}
}

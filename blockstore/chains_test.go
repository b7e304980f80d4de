package blockstore

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"edged"
)

// givenBlock is a block of a chained stream with one message.
func givenBlock(stream, text string, at int64) *edged.Block {
	return &edged.Block{
		Receiver: stream, Cut: edged.Instant{Wall: at}, Trusted: true, Topics: []string{stream},
		Topic: []uint32{0}, Arrival: []int64{at}, Flags: []uint8{0}, End: []uint32{uint32(len(text))}, Data: []byte(text),
	}
}

// The blocks of an update are in the log behind those of the round, with its cursors, counted, and before its tick; a restart finds both or neither.
func TestBlocksOfUpdates(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.SetRouter(countAs("down"))
	f.put(nil, "in")
	s.Submit(&edged.Update{
		Blocks:  []*edged.Block{givenBlock("up", "one", 5), givenBlock("up", "two", 7)},
		Cursors: []edged.Cursor{{Name: "stream/up", Need: edged.SpansFrom(1)}},
	}, false, nil)
	step(t, s)
	check := func() {
		t.Helper()
		entries := all(t, s, 0)
		if got, want := payloads(entries), []string{"in", "one", "two"}; !slices.Equal(got, want) || len(entries) != 4 || entries[3].Tick == nil {
			t.Fatalf("the log has %v and %d entries", got, len(entries))
		}
		tick := s.LastTick()
		n, _ := tick.RoutedTo("down")
		at, _ := tick.Cut("up")
		if n != 3 || at != (edged.Instant{Wall: 7}) || tick.Newest() != (edged.Instant{Wall: 10}) {
			t.Errorf("%d are routed, the stream has come to %v, all to %v", n, at, tick.Newest())
		}
		for _, r := range tick.Receivers {
			if want := map[string]uint64{"r": 1, "up": 2}[r.Receiver]; r.Stored != want || r.Stream != (r.Receiver == "up") {
				t.Errorf("%+v", r)
			}
		}
		if _, ok := s.Cursor("stream/up"); !ok {
			t.Error("its cursor is not there")
		}
	}
	check()
	next := s.End()
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	s.SetRouter(countAs("down"))
	check()
	s.Submit(&edged.Update{Blocks: []*edged.Block{givenBlock("up", "three", 8)}}, false, nil)
	step(t, s)
	if got := all(t, s, next); len(got) != 2 || got[0].Seq != next || got[1].Tick == nil {
		t.Errorf("an update alone gives %v", got)
	}
	if at := s.LastInstant(); at != (edged.Instant{Wall: 10}) {
		t.Errorf("the clock would go on from %v: a stream's time is not the gateway's", at)
	}
}

// stage is a rider that is a chained stream, and waits for something.
type stage struct {
	name   string
	at     edged.Instant
	from   string        // what it must know to come further
	waits  edged.Instant // its own window; zero: none
	behind int64         // it comes to a moment when from has come so much further
	asked  int
}

func (s *stage) Ride(*edged.Update) {}
func (s *stage) Waits() (edged.Wait, bool) {
	return edged.Wait{Receivers: []string{s.from}, Until: s.waits}, !s.waits.IsZero()
}
func (s *stage) Gives() (string, edged.Instant, bool) { return s.name, s.at, s.name != "" }
func (s *stage) Reach(at edged.Instant) (edged.Wait, bool) {
	s.asked++
	return edged.Wait{Receivers: []string{s.from}, Until: edged.Instant{Wall: at.Wall + s.behind}}, true
}

// A window at the end of a chain has one tick written for each stage, when its time has come, and none before or besides.
func TestAChainIsWoken(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	one := &stage{name: "one", from: "r"}
	two := &stage{name: "two", from: "one", behind: 3}
	last := &stage{from: "two", waits: edged.Instant{Wall: 100}}
	for _, r := range []edged.Rider{last, two, one} {
		s.AddRider(r)
	}
	f.put(nil, "in")
	step(t, s)
	ticks := func(want int, when string) {
		t.Helper()
		before := s.End()
		for range 3 {
			step(t, s)
		}
		if got := int(s.End() - before); got != want {
			t.Fatalf("%s: %d ticks are written, want %d", when, got, want)
		}
	}
	ticks(0, "nothing has come")
	f.wall = 102
	ticks(0, "the receiver is not far enough")
	f.wall = 103
	ticks(1, "it is")
	one.at = edged.Instant{Wall: 103}
	ticks(1, "the first stream has read it")
	two.at = edged.Instant{Wall: 99}
	ticks(0, "the second stream has come to another place")
	two.at = edged.Instant{Wall: 100}
	ticks(1, "it has come to it")
	last.waits, f.wall = edged.Instant{}, 200
	ticks(0, "nobody waits")
	if at, _ := s.LastTick().Cut("two"); at != two.at {
		t.Errorf("the tick says %v of the second stream", at)
	}
	two.at = edged.Instant{Wall: 50}
	f.put(nil, "more")
	step(t, s)
	if at, _ := s.LastTick().Cut("two"); at.Wall != 100 {
		t.Errorf("a cut goes back to %v", at)
	}
}

// Blocks of chained streams have room when those of receivers have none, and leave a quarter of the reserve for what makes room again.
func TestChainsLeaveRoomToMove(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes, c.Keep = 24<<20, 0 })
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "holds", Need: edged.SpansFrom(1)}}}, false, nil)
	for i := 0; !s.Space().Full; i++ {
		f.put(nil, noise(500<<10))
		step(t, s)
		if i > 100 {
			t.Fatal("the store does not get full")
		}
	}
	refused := 0
	for i := range 200 {
		s.Submit(&edged.Update{Blocks: []*edged.Block{givenBlock("up", fmt.Sprint(i, noise(200<<10)), int64(i))}}, false, func(err error) {
			if errors.Is(err, edged.ErrFull) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		})
		step(t, s)
	}
	if took := 200 - refused; took < 20 || took > 31 {
		t.Errorf("%d blocks were taken into the reserve, of 200 KiB each", took)
	}
	freed := false
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "holds", Need: edged.SpansFrom(s.End())}}, Puts: []edged.Put{{Space: "state/down", Key: "x", Value: make([]byte, 500<<10)}}}, false, func(err error) { freed = err == nil })
	for range 5 {
		step(t, s)
	}
	if !freed || s.Space().Room <= 0 {
		t.Errorf("a checkpoint moves on: %v; there is room for %d bytes", freed, s.Space().Room)
	}
}

package blockstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"

	"github.com/VictoriaMetrics/metrics"
	"go.etcd.io/bbolt"
)

// Invariant 1: when Done is called, a copy of the file holds the block.
func TestDoneMeansStored(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	told := 0
	for i := range 20 {
		text := noise(i * 700)
		f.put(func(err error) {
			told++
			if err != nil {
				t.Fatal(err)
			}
			copied := open(t, snapshot(t, s), nil)
			defer closeStore(t, copied)
			if got := payloads(all(t, copied, 0)); got[len(got)-1] != text {
				t.Fatalf("block %d was acknowledged and is not in the file", i)
			}
		}, text)
		step(t, s)
	}
	if told != 20 {
		t.Fatalf("%d of 20 told", told)
	}
}

// Invariant 3.
func TestNumbersAreNeverReused(t *testing.T) {
	dir := t.TempDir()
	seen := map[uint64]bool{}
	for life := range 4 {
		s := open(t, dir, func(c *Config) { c.Keep = 0 })
		f := &feed{name: "r"}
		s.AddSource("r", MemoryAndDisk, f)
		for range 3 {
			b := f.put(nil, "x")
			step(t, s)
			if seen[b.Seq] {
				t.Fatalf("life %d: number %d was given twice", life, b.Seq)
			}
			seen[b.Seq] = true
		}
		// A cursor that stands at the end, beyond entries that are freed.
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(s.End() + 100)}}}, false, func(error) {})
		s.freed = time.Time{}
		step(t, s)
		closeStore(t, s)
	}
}

// Invariant 4: a block that the store has no room for yet holds back its receiver's time.
func TestTickNeverOvertakesBlocks(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes = minBytes })
	defer closeStore(t, s)
	a, b := &feed{name: "a"}, &feed{name: "b"}
	s.AddSource("a", MemoryAndDisk, a)
	s.AddSource("b", MemoryAndDisk, b)
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "keep", Need: edged.SpansFrom(0)}}}, false, func(error) {})
	stored := map[string]int64{}
	for range 40 {
		a.put(nil, noise(300<<10))
		b.put(nil, "b")
		step(t, s)
		for _, e := range all(t, s, 0) {
			if e.Block != nil {
				stored[e.Block.Receiver] = e.Block.Arrival[e.Block.Len()-1]
			}
		}
		for _, r := range s.LastTick().Receivers {
			if r.Cut.Wall > stored[r.Receiver] {
				t.Fatalf("the tick says %d of %s, the newest stored message is from %d", r.Cut.Wall, r.Receiver, stored[r.Receiver])
			}
		}
	}
	if len(a.queue) == 0 {
		t.Fatal("the store never filled: the test shows nothing")
	}
}

// Invariant 6: what was put before the message was taken is there when the message is.
func TestUpdateBeforeBlock(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	told := make(chan struct{})
	for i := range 50 {
		key := string(rune('a' + i%26))
		value := []byte{byte(i)}
		s.Submit(&edged.Update{Puts: []edged.Put{{Space: "retained", Key: key, Value: value}}}, false, func(error) {})
		f.put(func(err error) {
			var got []byte
			s.Values("retained", func(k string, v []byte, err error) error {
				if k == key {
					got = slices.Clone(v)
				}
				return err
			})
			if err != nil || len(got) != 1 || got[0] < value[0] {
				t.Errorf("message %d is durable, what was put before it is %v", i, got)
			}
			told <- struct{}{}
		}, "x")
		s.Waiting()
		<-told
	}
	cancel()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
}

// Invariant 7.
func TestIdleWritesNothing(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	r := &rider{}
	s.AddRider(r)
	f.put(nil, "x")
	step(t, s)
	before := s.meter.commits.Get()
	for range 10 {
		f.wall += 1e9
		step(t, s)
	}
	if n := s.meter.commits.Get() - before; n != 0 {
		t.Fatalf("%d commits without input", n)
	}
	r.wait = &edged.Wait{Receivers: []string{"r"}, Until: edged.Instant{Wall: f.wall + 1}}
	step(t, s)
	if n := s.meter.commits.Get() - before; n != 0 {
		t.Fatal("a tick was written before its time")
	}
	f.wall++
	step(t, s)
	step(t, s)
	if n := s.meter.commits.Get() - before; n != 1 {
		t.Fatalf("%d commits for one tick that a window waits for", n)
	}
	if at, _ := s.LastTick().Cut("r"); at.Wall != f.wall {
		t.Fatalf("the tick says %d, the window waits for %d", at.Wall, f.wall)
	}
}

type rider struct {
	wait *edged.Wait
	ride *edged.Update
}

func (r *rider) Ride(u *edged.Update) {
	if r.ride != nil {
		u.Add(r.ride)
		r.ride = nil
	}
}

func (r *rider) Waits() (edged.Wait, bool) {
	if r.wait == nil {
		return edged.Wait{}, false
	}
	return *r.wait, true
}

func TestMemoryBlocksAreNeverOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	mem, disk := &feed{name: "mem"}, &feed{name: "disk"}
	s.AddSource("mem", Memory, mem)
	s.AddSource("disk", MemoryAndDisk, disk)
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(0)}}}, false, func(error) {})
	step(t, s)
	before := s.meter.commits.Get()
	mem.put(nil, "m1")
	step(t, s)
	if s.meter.commits.Get() != before {
		t.Fatal("a block in memory caused a commit")
	}
	disk.put(nil, "d1")
	mem.put(nil, "m2")
	step(t, s)
	if got := payloads(all(t, s, 0)); !slices.Equal(got, []string{"m1", "d1", "m2"}) {
		t.Fatalf("read %v", got)
	}
	// Once nobody needs them, they are gone; until then they count against the cache.
	if s.pub.cache.memory == 0 {
		t.Fatal("blocks in memory are not counted")
	}
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(s.End())}}}, false, func(error) {})
	step(t, s)
	if s.pub.cache.memory != 0 {
		t.Fatal("blocks in memory stay for ever")
	}
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	if got := payloads(all(t, s, 0)); !slices.Equal(got, []string{"d1"}) {
		t.Fatalf("after a restart: %v", got)
	}
	for _, r := range s.LastTick().Receivers {
		if r.Receiver == "mem" && r.Stored != 2 {
			t.Fatalf("the totals forgot what was stored in memory: %+v", r)
		}
	}
}

func TestFullStoreTakesUpdatesAndResumes(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes, c.Keep = minBytes, 0 })
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	acked := 0
	for i := range 40 {
		f.put(func(err error) {
			if err != nil {
				t.Error(err)
			}
			acked++
		}, noise(200<<10))
		need := edged.SpansFrom(0)
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: need, Data: []byte{byte(i)}}}}, false, func(err error) {
			if err != nil {
				t.Errorf("a cursor cannot move in a full store: %v", err)
			}
		})
		step(t, s)
	}
	if acked == 40 {
		t.Fatal("the store never filled")
	}
	// Deliver everything that is stored; the rest then fits.
	for range 40 {
		s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Need: edged.SpansFrom(s.End())}}}, false, func(error) {})
		step(t, s)
	}
	if acked != 40 {
		t.Fatalf("%d of 40 acknowledged after the store was drained", acked)
	}
}

// holder is a rider that holds the whole log until it is asked.
type holder struct{ s *Store }

func (h holder) Ride(u *edged.Update) {
	if h.s.Space().Full {
		u.Cursors = append(u.Cursors, edged.Cursor{Name: "held", Need: edged.SpansFrom(h.s.End())})
	}
}

func (holder) Waits() (edged.Wait, bool) { return edged.Wait{}, false }

// When the store is full nobody may bring anything any more that would be a commit: who holds the log without need is asked all the same.
func TestAFullStoreAsksWhoHoldsIt(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes, c.Keep = minBytes, 0 })
	defer closeStore(t, s)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	s.AddRider(holder{s})
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "held", Need: edged.SpansFrom(0)}}}, false, func(error) {})
	acked := 0
	for range 100 {
		f.put(func(error) { acked++ }, noise(200<<10))
		step(t, s)
		s.asked = time.Time{} // a second later
	}
	for range 100 {
		step(t, s)
		s.asked = time.Time{}
	}
	if acked != 100 {
		t.Errorf("%d of 100 were stored", acked)
	}
}

// What publishers bring besides blocks does not get at the reserve, so that it cannot fill the store for good; taking it
// away is always possible.
func TestIntakeDoesNotGetAtTheReserve(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.MaxBytes, c.Keep = minBytes, 0 })
	defer closeStore(t, s)
	submit := func(u *edged.Update) (err error) {
		s.Submit(u, false, func(e error) { err = e })
		step(t, s)
		return err
	}
	keep := func(key string, value []byte) error {
		return submit(&edged.Update{Intake: true, Puts: []edged.Put{{Space: "kept", Key: key, Value: value}}})
	}
	stored := 0
	for ; stored < 40; stored++ {
		if err := keep(fmt.Sprint(stored), make([]byte, 200<<10)); err != nil {
			if !errors.Is(err, edged.ErrFull) {
				t.Fatal(err)
			}
			break
		}
	}
	if stored < 10 || stored == 40 {
		t.Fatalf("%d times 200 kB fit into 4 MiB", stored)
	}
	if sp := s.Space(); sp.Max-sp.Used < sp.Reserve-512<<10 {
		t.Errorf("the reserve is used: %+v", sp)
	}
	if err := submit(&edged.Update{Cursors: []edged.Cursor{{Name: "c", Data: make([]byte, 200<<10)}}}); err != nil {
		t.Errorf("what moves is refused: %v", err)
	}
	for i := range 5 {
		if err := keep(fmt.Sprint(i), nil); err != nil {
			t.Errorf("what is taken away is refused: %v", err)
		}
	}
	if err := keep("again", make([]byte, 200<<10)); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}

func TestResultLogs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	for i := range 10 {
		u := &edged.Update{}
		for _, stream := range []string{"a", "ab", "b"} {
			u.Results = append(u.Results, edged.Result{Stream: stream, Cause: uint64(i), Rows: 2, Data: []byte(stream), Watermark: edged.Instant{Epoch: 1, Wall: int64(i)}})
		}
		s.Submit(u, false, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		step(t, s)
	}
	check := func(s *Store) {
		t.Helper()
		for _, stream := range []string{"a", "ab", "b"} {
			if s.ResultEnd(stream) != 11 {
				t.Fatalf("%s ends at %d", stream, s.ResultEnd(stream))
			}
			for seq := uint64(1); seq < 11; seq++ {
				r, ok, err := s.NextResult(stream, seq)
				if !ok || err != nil || r.Seq != seq || r.Cause != seq-1 || string(r.Data) != stream || r.Watermark.Wall != int64(seq-1) {
					t.Fatalf("%s %d: %+v %t %v", stream, seq, r, ok, err)
				}
			}
		}
	}
	check(s)
	closeStore(t, s)
	s = open(t, dir, nil)
	check(s)
	if p, half := s.Pending("a", edged.SpansFrom(0)), s.Pending("a", edged.SpansFrom(6)); half <= 0 || p < 2*half*9/10 || p > 2*half*12/10 {
		t.Fatalf("pending: %d of 10, %d of 5", p, half)
	}
	// Delivered results are freed at once; the numbers go on.
	s.freed = time.Time{}
	s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: "d", Log: "a", Need: edged.SpansFrom(11)}, {Name: "e", Log: "ab", Need: edged.Spans{{From: 3, To: 5}, {From: 11, To: edged.Forever}}}}, ForgetStreams: []string{"b"}}, false, func(error) {})
	step(t, s)
	if _, ok, _ := s.NextResult("a", 1); ok {
		t.Fatal("a delivered result was kept")
	}
	if r, ok, _ := s.NextResult("ab", 1); !ok || r.Seq != 3 {
		t.Fatalf("the next needed result is %+v", r)
	}
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	if s.ResultEnd("a") != 11 {
		t.Fatalf("numbers of results are used again: %d", s.ResultEnd("a"))
	}
}

func TestADamagedBlockIsSetAside(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	for _, p := range []string{"one", "two", "three"} {
		f.put(nil, p)
		step(t, s)
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(logKey(3))
		v := slices.Clone(b.Get(valueKey))
		v[len(v)-6] ^= 1
		return b.Put(valueKey, v)
	}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = open(t, dir, nil)
	defer closeStore(t, s)
	entries := all(t, s, 0)
	if got := payloads(entries); !slices.Equal(got, []string{"one", "three"}) {
		t.Fatalf("read %v", got)
	}
	if e := entries[2]; e.Seq != 3 || e.Err == nil {
		t.Fatalf("the damaged entry reads as %+v", e)
	}
}

func TestASecondEdgedIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	defer closeStore(t, s)
	if _, err := Open(dir, Default(), quiet, metrics.NewSet()); !errors.Is(err, ErrInUse) {
		t.Errorf("a second edged: %v", err)
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	s.meta.format = 99
	if err := s.db.Update(s.meta.put); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	before := names(t, dir)
	if _, err := Open(dir, Default(), quiet, metrics.NewSet()); err == nil || !strings.Contains(err.Error(), "newer edged") {
		t.Errorf("a newer format: %v", err)
	}
	if after := names(t, dir); after != before {
		t.Errorf("in the directory: %s, before %s", after, before)
	}
}

func TestCommitsAreRefusedAfterTheEnd(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background(), &edged.Update{}, true); !errors.Is(err, ErrClosed) {
		t.Fatalf("committed by nobody: %v", err)
	}
	closeStore(t, s)
}

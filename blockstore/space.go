package blockstore

import (
	"maps"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const (
	pageSize  = 4096    // not the system's: a Pi 5 kernel's 16 KiB pages would quadruple what a small commit writes
	allocStep = 1 << 20 // by how much the file grows at once
	reserve   = 8 << 20
	minBytes  = reserve + 4<<20
)

// Space is the room that the store has.
type Space struct {
	Used       int64 `json:"used"`        // bytes of the file in use
	File       int64 `json:"file"`        // its size
	Max        int64 `json:"max"`         // max_bytes
	Reserve    int64 `json:"reserve"`     // of it, only for cursors, results, checkpoints and freeing
	DiskFree   int64 `json:"disk_free"`   // bytes free on the file system
	DiskKept   int64 `json:"disk_kept"`   // of them, left free by reserve_free
	Room       int64 `json:"room"`        // what blocks may still take; not positive when the store is full
	Full       bool  `json:"full"`        // blocks wait, or would, for want of room
	MemoryRoom int64 `json:"memory_room"` // what blocks of receivers with storage = "memory" may still take
}

// Space returns the room as the committer last measured it.
func (s *Store) Space() Space {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pub.space
}

// measuredFor is how long what was measured holds, if the store has written nothing since: others fill the disk and empty it.
const measuredFor = 20 * time.Millisecond

// roomNow is the room at the beginning of a round.
func (s *Store) roomNow() Space {
	if time.Since(s.measured) < measuredFor {
		return s.Space()
	}
	return s.measure()
}

// measure works out the room. Intake stops at max_bytes minus the reserve: without it a full store could not free anything
// and would be full for ever.
func (s *Store) measure() Space {
	s.measured = time.Now()
	sp := Space{Full: s.saidFull}
	_ = s.db.View(func(tx *bbolt.Tx) error { sp.File = tx.Size(); return nil })
	st := s.db.Stats()
	free := int64(st.FreePageN+st.PendingPageN) * pageSize
	sp.Used, sp.Max = sp.File-free, int64(s.cfg.MaxBytes)
	sp.Reserve = max(reserve, sp.Max/50)
	sp.Room = sp.Max - sp.Reserve - sp.Used
	ahead := s.takeReserve(sp.File, sp.Reserve)
	if total, avail, ok := diskSpace(s.path); ok {
		sp.DiskFree, sp.DiskKept = avail, s.kept(total)
		if s.reserved.wall {
			avail = 0
		}
		sp.Room = min(sp.Room, max(0, avail-sp.DiskKept)+free+ahead-s.reserved.diskReserve(sp.Reserve, total))
	}
	s.mu.Lock()
	sp.MemoryRoom = int64(s.cfg.MemoryCache) - s.pub.cache.memory
	s.pub.space = sp
	s.mu.Unlock()
	return sp
}

// kept is what reserve_free leaves to others of a disk of that size.
func (s *Store) kept(total int64) int64 { return s.cfg.ReserveFree.Or(min(200<<20, total/20)) }

// sayFull says once that there is no room for blocks, and what holds it, and once that there is room again. waits says that blocks wait for want of
// room: what is left of it may be too little for the next one.
func (s *Store) sayFull(sp Space, waits bool) {
	full := sp.Room <= 0 || waits
	s.mu.Lock()
	s.pub.space.Full = full
	s.mu.Unlock()
	if full == s.saidFull {
		return
	}
	s.saidFull = full
	if !full {
		s.log.Info("the store has room again", "used", sp.Used, "max_bytes", sp.Max)
		return
	}
	s.meter.full.Inc()
	name, held := s.Holder()
	s.log.Warn("the store is full: nothing is taken in or acknowledged until something was delivered; deliveries go on, and free what was delivered",
		"used", sp.Used, "max_bytes", sp.Max, "disk_free", sp.DiskFree, "held_most_by", name, "holds", held, "not_open_yet", slices.Sorted(maps.Keys(s.expected)))
}

// Holder is the cursor that holds back most of the logs, and how many bytes those are.
func (s *Store) Holder() (name string, bytes int64) {
	for _, c := range s.Cursors() {
		if held := s.Pending(c.Log, c.Need); held > bytes {
			name, bytes = c.Name, held
		}
	}
	return name, bytes
}

// Short reports whether blocks kept for replay must go.
func (s *Store) Short() bool {
	sp := s.Space()
	return sp.Full || sp.Room < min(sp.Max, sp.Used+max(sp.Room, 0))/8 // what there could be: the disk may have less than max_bytes
}

// Lack is how many bytes of log must be given up by whoever may lose some, so that intake goes on; 0 while there is room. What nobody needs any more,
// or is kept for replay, goes first and counts as gone.
func (s *Store) Lack() int64 {
	sp := s.Space()
	most := min(sp.Max, sp.Used+max(sp.Room, 0))
	want := most / 8
	switch {
	case sp.Full:
		want = most / 4 // the next block can be large
	case sp.Room >= most/16:
		return 0
	}
	return max(0, want-sp.Room-s.unheld())
}

// unheld is what the logs have that no cursor needs: the next rounds free it, if it is wanted.
func (s *Store) unheld() (bytes int64) {
	s.mu.Lock()
	ends := maps.Clone(s.pub.results)
	ends[""] = logEnd{s.pub.end, s.pub.cum}
	cursors := maps.Clone(s.pub.cursors)
	s.mu.Unlock()
	for log, end := range ends {
		for _, gap := range needs(cursors, log).Gaps(0, end.next) {
			bytes += int64(s.cumInFile(log, gap.To, end.cum) - s.cumInFile(log, gap.From, end.cum)) // not cumAt: the cache keeps what is freed
		}
	}
	return bytes
}

func diskSpace(path string) (total, avail int64, ok bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, 0, false
	}
	unit := int64(fs.Bsize)
	bytes := func(n uint64) int64 { return int64(min(n, math.MaxInt64/uint64(unit))) * unit }
	return bytes(uint64(fs.Blocks)), bytes(uint64(fs.Bavail)), true
}

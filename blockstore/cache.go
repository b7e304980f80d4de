package blockstore

import (
	"slices"

	"edged"
)

// cache holds the newest log entries in memory. Entries of receivers with storage = "memory" are only here. What waits for the store is memory of the
// same kind, and newer: as long as it is much, fewer blocks that were stored are kept beside it.
type cache struct {
	max     int64
	waiting int64 // bytes of blocks that wait for the store
	unread  int64 // bytes that were added since an entry was last read here
	entries map[uint64]entry
	recent  []uint64 // on disk too: may go at any time, oldest first
	size    int64    // of recent
	only    []uint64 // in memory only, ascending
	memory  int64    // of only
}

// What was added and not read while the cache was filled so many times is kept in vain: who reads is further behind than the cache reaches, and reads the
// file. Then a part of it is enough to notice who comes near.
const (
	unreadTimes = 4
	unreadPart  = 4
	leastPart   = 16 // of the cache are kept whatever waits
)

func newCache(max int64) cache { return cache{max: max, entries: map[uint64]entry{}} }

func (c *cache) add(e entry) {
	switch e.keep {
	case onDisk:
		return
	case inMemory:
		c.only = append(c.only, e.Seq)
		c.memory += e.bytes
	default:
		c.recent = append(c.recent, e.Seq)
		c.size += e.bytes
		c.unread += e.bytes
	}
	c.entries[e.Seq] = e
	drop, most := 0, c.most()
	for c.size > most && drop < len(c.recent) {
		c.size -= c.entries[c.recent[drop]].bytes
		delete(c.entries, c.recent[drop])
		drop++
	}
	if drop > 0 {
		c.recent = slices.Delete(c.recent, 0, drop)
	}
}

// most is how many bytes of entries that are on disk, too, are kept.
func (c *cache) most() int64 {
	most := c.max
	if c.unread > unreadTimes*c.max {
		most /= unreadPart
	}
	return max(most-c.waiting, c.max/leastPart) - c.memory
}

// get returns an entry that is here.
func (c *cache) get(seq uint64) (entry, bool) {
	e, ok := c.entries[seq]
	if ok {
		c.unread = 0
	}
	return e, ok
}

// release drops the entries in memory that no cursor needs any more.
func (c *cache) release(need edged.Spans, end uint64) {
	if len(c.only) == 0 {
		return
	}
	c.only = slices.DeleteFunc(c.only, func(seq uint64) bool {
		at, ok := need.Next(seq)
		if ok && at == seq {
			return false
		}
		c.memory -= c.entries[seq].bytes
		delete(c.entries, seq)
		return true
	})
}

// next returns the first entry in memory only at or after seq.
func (c *cache) next(seq uint64) (entry, bool) {
	i, _ := slices.BinarySearch(c.only, seq)
	if i == len(c.only) {
		return entry{}, false
	}
	return c.entries[c.only[i]], true
}

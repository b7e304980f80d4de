package blockstore

import (
	"slices"

	"edged"
)

// cache holds the newest log entries in memory. Entries of receivers with storage = "memory" are only here.
type cache struct {
	max     int64
	entries map[uint64]entry
	recent  []uint64 // on disk too: may go at any time, oldest first
	size    int64    // of recent
	only    []uint64 // in memory only, ascending
	memory  int64    // of only
}

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
	}
	c.entries[e.Seq] = e
	drop := 0
	for c.size+c.memory > c.max && drop < len(c.recent) {
		c.size -= c.entries[c.recent[drop]].bytes
		delete(c.entries, c.recent[drop])
		drop++
	}
	if drop > 0 {
		c.recent = slices.Delete(c.recent, 0, drop)
	}
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

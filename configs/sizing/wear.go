package sizing

import (
	"math"
	"time"
)

// worn is what the store writes, in a second.
type worn struct {
	commits float64
	written float64 // bytes
	logged  float64 // bytes of the block log
	held    float64 // bytes of pages that the block log takes for good, as long as a cursor holds it
}

// worn is the store with its budget, and how far into commit_interval a commit comes for somebody who waits: 0 at once, 1 at its end.
func (m *model) worn() (w worn, at float64) {
	commit := m.c.Store.CommitInterval.D().Seconds()
	soonest := min(m.sync, commit)
	_, waits, _ := m.rate()
	bears := func(d float64) bool {
		w = m.wearAt(d)
		early := often(waits, d) / max(w.commits, 1e-9) * w.written
		return early-min(w.logged, early) <= float64(m.c.Store.WriteBudget)
	}
	switch {
	case waits == 0:
		return m.wearAt(commit), 1
	case m.c.Store.Commit == "eager" || m.c.Store.WriteBudget < 0 || bears(soonest):
		return m.wearAt(soonest), 0
	case !bears(commit):
		return m.wearAt(commit), 1
	}
	from, to := soonest, commit // early commits, evenly apart, as many as the budget bears
	for range 30 {
		if mid := (from + to) / 2; bears(mid) {
			to = mid
		} else {
			from = mid
		}
	}
	return m.wearAt(to), (to - soonest) / (commit - soonest)
}

// wearAt is the store if commits are made at this interval, in seconds, where there is something to commit. They cut the blocks.
func (m *model) wearAt(commit float64) (w worn) {
	rate := 0.0
	var cuts []cutting
	for _, s := range m.disk() {
		n := often(s.rate, commit)
		cuts = append(cuts, cutting{s, n})
		rate += s.rate
	}
	if rate == 0 {
		return w
	}
	withBlocks := often(rate, commit)
	l := m.log(cuts, withBlocks)
	w.logged, w.held = l.bytes, (l.shelf+l.own)*page
	w.commits = often(rate+m.follow(), commit)
	shelf := 1 + branches(m.c.Store.Keep.D().Seconds()*l.shelf) // a leaf of it, and those above
	pages := w.commits*3 + l.leaves + l.own                     // meta page, last leaf, and the one above
	pages += l.shelf + l.entries/topMost*shelf                  // what is moved
	pages += min(w.commits, 1/freeEvery.Seconds()) * shelf
	pages += m.state()
	w.written = pages * page
	return w
}

// logged is what the block log takes, in a second.
type logged struct {
	entries, bytes float64
	leaves         float64 // pages of the top level
	shelf          float64 // pages of the shelf
	own            float64 // pages of longer entries
}

// cutting is a source, and how many blocks of it are cut in a second.
type cutting struct {
	source
	blocks float64
}

// uneven are the sizes of blocks among each other, in standard deviations: a page boundary is not hit by all or by none.
var uneven = [...]float64{0.1, -1.3, 0.6, -0.3, 1.5, -0.7, 0.3, -0.1, 0.9, -1}

// log is what blocks and ticks take. commits are those with blocks.
func (m *model) log(cuts []cutting, commits float64) logged {
	const repeat = 5 * len(uneven) // until the end of the last page counts little
	tick := m.tick()
	var run []float64
	stored, own, i := 0.0, 0.0, 0
	for n := range repeat {
		for _, c := range cuts {
			each := c.rate / c.blocks
			per := c.blocks / commits // of a commit
			for range int(per*float64(n+1)) - int(per*float64(n)) {
				size := each
				if each > 1 {
					size += uneven[i%len(uneven)] * math.Sqrt(each)
				}
				i++
				entry := c.stored(max(1, size))
				in, pages := element(entry)
				run, stored, own = append(run, in), stored+entry, own+pages
			}
		}
		run, stored = append(run, tick+inlineHead), stored+tick
	}
	each := commits / float64(repeat)
	return logged{float64(len(run)) * each, stored * each, packed(run, leafFull) * each, packed(run, shelfFull) * each, own * each}
}

// entry is the length of a block of n messages.
func (s *source) entry(n float64) float64 {
	bytes := blockBytes + float64(len(s.name)) + n*perMessage
	for _, f := range s.flows {
		of, topics := n*f.Rate/s.rate, float64(f.Topics)
		distinct := topics * -math.Expm1(of*math.Log1p(-1/(topics+1e-9)))
		if topics <= 1 {
			distinct = min(1, of)
		}
		bytes += of*float64(f.Bytes) + distinct*float64(len(f.Topic)+1)
	}
	return bytes
}

// stored is what the store makes of it: it packs what then takes an eighth less of the file.
func (s *source) stored(n float64) float64 {
	entry := s.entry(n)
	first := min(blockClear+perMessage+s.payload/s.rate, entry)
	packed := first + blockPacks*min(entry-first, packsAfter) + packsTo*max(0, entry-first-packsAfter)
	if footprint(packed) <= footprint(entry)*7/8 {
		return packed
	}
	return entry
}

func (m *model) tick() float64 {
	n := tickBytes
	for _, r := range m.c.Receivers {
		n += tickEach + len(r.Name)
	}
	for _, s := range m.c.Streams {
		n += tickStream + len(s.Name)
	}
	return float64(n)
}

// follow is how many commits there would be besides those of blocks, if none fell together.
func (m *model) follow() (n float64) {
	for i := range m.streams {
		s := &m.streams[i]
		if s.results() {
			n += s.closes * (closeCommits - turnCommits)
		}
		for range s.Sinks {
			if s.results() {
				n += s.closes * turnCommits
			} else {
				n += turnCommits * s.turns(m)
			}
		}
	}
	return n
}

// turns are how often a sink of a stream without results has something to write, in a second.
func (s *stream) turns(m *model) float64 {
	overlap, batch := turnOverlap, m.c.Batch.Interval.D().Seconds()
	if m.c.Store.Commit == "eager" {
		overlap = turnEager
	}
	return min(s.rows/(1+overlap*s.rows*batch), turnsMost/batch)
}

// state are the pages of results, and of windows that are open for longer than a checkpoint takes to come.
func (m *model) state() (pages float64) {
	checkpoint := m.c.Store.Checkpoint.D().Seconds()
	for i := range m.streams {
		s := &m.streams[i]
		if !s.results() || s.in == 0 {
			continue
		}
		in, own := element(s.resultBytes())
		pages += s.closes * (own + in/leafFull)
		if long := time.Duration(s.window.Size).Seconds(); long > checkpoint || s.window.Size == 0 {
			changed := s.groups * often(s.in/s.groups, checkpoint) * checkpoint
			pages += changed * (groupPut + s.state) / (0.7 * page) / checkpoint
		}
	}
	return pages
}

// resultBytes is the length of an entry of the result log.
func (s *stream) resultBytes() float64 {
	if s.closes == 0 {
		return 0
	}
	return resultHead + s.names + s.rows/s.closes*s.cells
}

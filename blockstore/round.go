package blockstore

import (
	"time"

	"edged"
)

// round is one turn of the committer: what was gathered, and what it became.
type round struct {
	parcels []edged.Parcel // for the disk
	memory  []edged.Parcel // never on disk
	cuts    []cut          // of the sources whose blocks are all in this round
	given   []given        // how far the chained streams have come
	upd     edged.Update
	updates []func(error)
	taken   []pending     // intake updates that there is room for
	refused []func(error) // the others
	left    int64         // bytes of blocks that wait for a later one
	spare   bool          // the disk refused even what has the reserve: nothing is written
	tight   bool          // the disk has refused it once: nothing is moved that can wait

	// What write makes of it; begun anew at each attempt.
	totals  totals
	tick    *edged.Tick
	entries []entry
	ends    map[string]logEnd
	cum     uint64
	logged  int64  // bytes of log entries written
	first   uint64 // its first number
	atTop   int    // as in Store
	inline  int64
}

type cut struct {
	name string
	edged.Handover
	memory bool
}

// entry is a log entry as the cache gets it.
type entry struct {
	edged.Entry
	start uint64 // bytes of the log before it
	bytes int64  // memory that it holds
	keep  keep
}

type keep uint8

const (
	cached keep = iota // on disk; in memory as long as there is room
	onDisk             // on disk only
	inMemory
)

// commitRound gathers what waits and commits it. The error is fatal.
func (s *Store) commitRound(early bool) error {
	s.mark(false)
	r := s.gather()
	if !s.due(r) {
		return nil
	}
	s.mark(true)
	defer s.mark(false)
	r.ackFirst()
	err := s.write(r, early)
	r.tight = isFull(err)
	s.vain = s.vain || r.tight
	if isFull(err) && len(r.parcels)+len(r.taken) > 0 {
		if len(r.parcels) > 0 {
			s.putBack(r, err)
		}
		r.taken = r.take(r.taken, 0)
		err = s.write(r, early) // what moves and frees has the reserve
	}
	if isFull(err) {
		s.meter.full.Inc()
		s.teller.tell(finished{err: err, updates: append(r.updates, dones(r.taken)...)})
		r.upd, r.updates, r.taken, r.spare = edged.Update{}, nil, nil, true
		err = s.write(r, early)
	}
	f := finished{err: err, parcels: append(r.memory, r.parcels...), updates: append(r.updates, dones(r.taken)...), refused: r.refused}
	if err != nil {
		return s.fail(err, f)
	}
	s.accept(r)
	s.teller.tell(f)
	s.measure() // for the next round: nobody waits for it now
	return nil
}

// gather cuts every source, then takes the updates that wait: an update that was submitted before a message was taken is
// in the queue by the time its block is cut.
func (s *Store) gather() *round {
	s.pace.begin()
	r, all := &round{}, s.takesAll()
	room := s.roomNow()
	disk, mem, took := max(room.Room, 0), max(room.MemoryRoom, 0), int64(0)
	waits := len(s.retry) > 0
	if waits { // what was cut first goes first, and alone
		if disk > 0 && time.Now().After(s.retryAt) {
			r.parcels, r.cuts, s.retry, s.retryCuts = s.retry, s.retryCuts, nil, nil
		}
		disk = -1
	}
	for _, src := range s.sources {
		if src.level == Memory {
			h := src.Cut(mem)
			for _, p := range h.Parcels {
				mem -= p.Block.Size()
			}
			r.memory = append(r.memory, h.Parcels...)
			r.cuts = append(r.cuts, cut{src.name, h, true})
			continue
		}
		if disk < 0 {
			continue // its open block stays open, its time stands still
		}
		var h edged.Handover
		if all {
			h = src.Cut(disk)
		} else {
			h = share(src, took, disk)
		}
		for _, p := range h.Parcels {
			took += p.Block.Size()
			disk = max(disk-p.Block.Size()-pageSize, 0)
		}
		r.parcels = append(r.parcels, h.Parcels...)
		r.left += h.Left
		r.cuts = append(r.cuts, cut{src.name, h, false})
		waits = waits || h.Left > disk // else the next round has room for it
	}
	s.pace.more = r.left > 0 && !waits
	s.sayFull(room, waits)
	r.given = s.chains()
	chained := room.Room + room.Reserve*chainShare/4
	var intake []pending
	for _, p := range s.takeQueue(all) {
		if p.u.Intake {
			p.after = len(r.upd.Puts)
			intake = append(intake, p)
			continue
		}
		if size := sizeOf(p.u.Blocks); size > 0 {
			if size > chained {
				r.refused = append(r.refused, p.done)
				continue
			}
			chained -= size
		}
		r.upd.Add(p.u)
		if p.done != nil {
			r.updates = append(r.updates, p.done)
		}
	}
	r.taken = r.take(intake, disk)
	return r
}

func dones(of []pending) (out []func(error)) {
	for _, p := range of {
		out = append(out, p.done)
	}
	return out
}

// take lets in the intake updates that fit into room, and those that only delete, and refuses the others.
func (r *round) take(intake []pending, room int64) (taken []pending) {
	for _, p := range intake {
		size := int64(0)
		for _, put := range p.u.Puts {
			if put.Value != nil {
				size += int64(len(put.Key)+len(put.Value)) + pageSize
			}
		}
		if size > 0 && size > room {
			r.refused = append(r.refused, p.done)
			continue
		}
		room -= size
		taken = append(taken, p)
	}
	return taken
}

// due reports whether there is anything to do. If it will be a commit, the riders are asked to come along. They are also asked when the store is
// full: nothing else may come that would be a commit, because what would waits for room, and it may be one of them who holds the log.
func (s *Store) due(r *round) bool {
	commit := len(r.parcels)+len(r.taken) > 0 || !r.upd.Empty() || s.awaited(s.totals.with(r.cuts, r.given))
	if now := time.Now(); commit || s.saidFull && now.Sub(s.asked) >= askEvery {
		s.asked = now
		for _, rd := range s.riders {
			rd.Ride(&r.upd)
		}
	}
	return commit || !r.upd.Empty() || len(r.memory)+len(r.updates)+len(r.refused) > 0
}

// askEvery is how often the riders of a full store are asked.
const askEvery = time.Second

// awaited reports whether a tick is wanted: an open window waits for a time that every receiver has reached and the log does not say yet,
// or Rewire for the totals up to now. A window that waits for a chained stream also waits for what that waits for to come so far.
func (s *Store) awaited(t totals) bool {
	if s.untold && s.rewires() {
		return true
	}
	now := &edged.Tick{Receivers: t.receivers}
	for _, rd := range s.riders {
		if w, ok := rd.Waits(); ok && s.wanted(w, now, len(s.riders)) {
			return true
		}
	}
	return false
}

// putBack keeps a round's blocks until the disk has room for them: they were cut, and their order must stay.
func (s *Store) putBack(r *round, err error) {
	if !s.saidNoRoom {
		s.saidNoRoom = true
		s.log.Warn("the disk has no room for the store: nothing is acknowledged until there is; deliveries go on, and free what was delivered", "file", s.path, "error", err)
	}
	s.meter.full.Inc()
	s.retry, s.retryAt = r.parcels, time.Now().Add(time.Second)
	s.retryCuts = nil
	kept := r.cuts[:0:0]
	for _, c := range r.cuts {
		if c.memory {
			kept = append(kept, c)
		} else {
			s.retryCuts = append(s.retryCuts, c)
		}
	}
	r.parcels, r.cuts = nil, kept
}

// accept makes a round that is durable the present.
func (s *Store) accept(r *round) {
	s.cum, s.totals, s.atTop, s.inline = r.cum, r.totals, r.atTop, r.inline
	for stream, e := range r.ends {
		s.ends[stream] = e
	}
	if r.tick != nil {
		s.lastTick = r.tick
	}
	s.untold, s.vain = r.tick == nil && (s.untold || len(r.memory) > 0), r.tick == nil && s.vain
	if len(r.parcels) > 0 {
		s.saidNoRoom = false
	}
	for _, p := range r.parcels { // what came in: rows of chained streams are among what it costs
		s.meter.messages.Add(p.Block.Len())
		s.meter.stored.Add(content(p.Block))
	}
	if s.Short() {
		s.measure() // what this round has freed shall not be lacking to those whose cursors did it
	}
	s.publish(func(p *published) {
		p.cache.waiting = r.left
		p.end, p.cum, p.tick = s.next, s.cum, s.lastTick
		for _, e := range r.entries {
			p.cache.add(e)
		}
		for stream, e := range r.ends {
			p.results[stream] = e
		}
		for _, stream := range r.upd.ForgetStreams {
			delete(p.results, stream)
		}
		for _, name := range r.upd.Forget {
			delete(p.cursors, name)
		}
		for _, c := range r.upd.Cursors {
			p.cursors[c.Name] = c
		}
		if s.came(p.cursors); len(s.expected) == 0 {
			p.cache.release(needs(p.cursors, ""), p.end)
		}
	})
}

package blockstore

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"edged"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// write makes one transaction of a round. It may be called again after it failed for lack of space.
func (s *Store) write(r *round, early bool) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a read error in the mapped file is a fault
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the file is damaged or cannot be read: %v", v)
		}
	}()
	began := time.Now()
	r.totals, r.tick, r.entries, r.ends, r.cum, r.logged = s.totals.with(r.cuts, r.given), nil, nil, nil, s.cum, 0
	r.first, r.atTop, r.inline = s.next, s.atTop, s.inline
	awaited := !r.spare && s.awaited(r.totals)
	if len(r.parcels)+len(r.taken) == 0 && r.upd.Empty() && !awaited {
		return s.number(nil, r, false)
	}
	var done *bbolt.Tx
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		done = tx
		if err := s.number(tx, r, awaited || len(r.parcels)+len(r.upd.Blocks)+len(r.memory) > 0 || s.untold || s.vain); err != nil {
			return err
		}
		if err := s.apply(tx, r); err != nil {
			return err
		}
		if err := s.free(tx, r); err != nil {
			return err
		}
		return s.shelve(tx, r)
	}); err != nil {
		return err
	}
	st := done.Stats()
	written := st.GetPageAlloc() + pageSize
	s.meter.commits.Inc()
	s.meter.bytes.AddInt64(written)
	s.meter.seconds.Add(time.Since(began).Seconds())
	if early {
		s.meter.early.Inc()
		s.pace.charge(written - r.logged)
	}
	return nil
}

// errUncertain is the error of a commit that failed when it was as good as done: the file has it, and its last sync did not
// say that it is on disk. Lack of room can be the cause where room is only looked for when data is written back (thin volumes,
// NFS, btrfs). To make the same commit again would store everything twice; only opening the file tells what is true.
var errUncertain = errors.New("it was written, and the disk did not confirm it")

// number gives the round's blocks their sequence numbers, encodes those for the disk into tx, and ends with a tick if one is due. Those of chained streams
// come behind those that came in.
// A number that was given is never given again, not even when the transaction fails.
func (s *Store) number(tx *bbolt.Tx, r *round, tick bool) error {
	bt := boot{s.boot, monotonic()}
	s.encoded.begin()
	put := func(b *edged.Block) error {
		b.Seq = s.next
		v := appendUnsealed(s.encoded.room(int(b.Size())+headerLen+64), header{seq: s.next, start: r.cum}, bt, b)
		return s.log1(tx, r, seal(s.packed(v)), edged.Entry{Seq: s.next, Block: b}, s.keepOf(b))
	}
	for _, p := range r.parcels {
		if err := put(p.Block); err != nil {
			return err
		}
	}
	for _, b := range r.upd.Blocks {
		if err := put(b); err != nil {
			return err
		}
		r.totals.gave(b.Receiver, b.Cut)
	}
	for _, p := range r.memory {
		p.Block.Seq = s.next
		r.note(s, entry{edged.Entry{Seq: s.next, Block: p.Block}, r.cum, p.Block.Size(), inMemory}, uint64(p.Block.Size()))
	}
	if !tick || tx == nil {
		return nil
	}
	r.tick = r.totals.tick(s.next)
	v := appendTick(nil, header{seq: s.next, start: r.cum}, r.tick)
	return s.log1(tx, r, v, edged.Entry{Seq: s.next, Tick: r.tick}, cached)
}

// log1 puts one entry into the block log.
func (s *Store) log1(tx *bbolt.Tx, r *round, v []byte, e edged.Entry, k keep) error {
	if err := putEntry(tx, logKey(e.Seq), v); err != nil {
		return err
	}
	held := int64(200)
	if e.Block != nil {
		held = e.Block.Size()
	}
	r.logged += int64(len(v))
	if len(v) <= mostInline {
		r.inline += int64(len(v))
	}
	r.note(s, entry{e, r.cum, held, k}, footprint(len(v)))
	return nil
}

func (r *round) note(s *Store, e entry, bytes uint64) {
	r.entries = append(r.entries, e)
	r.cum += bytes
	s.next++
	if e.Block == nil {
		return
	}
	r.totals.stored(e.Block)
	if s.router != nil {
		s.router.Count(e.Block, r.totals.routed)
	}
}

func (s *Store) keepOf(b *edged.Block) keep {
	for _, src := range s.sources {
		if src.name == b.Receiver && src.level == Disk {
			return onDisk
		}
	}
	return cached
}

func putEntry(tx *bbolt.Tx, key, value []byte) error {
	b, err := tx.CreateBucket(key)
	if err != nil {
		return err
	}
	return b.Put(valueKey, value)
}

// isFull reports whether a commit failed for lack of space: the file is as it was before, and usable. That is known of a write that
// the disk had no room for, and of a file that could not be made longer. A sync that fails for lack of space (NFS, thin volumes) is not
// among them: nobody knows then what of the transaction is on disk. The library formats one of these errors away, so its text is looked for.
func isFull(err error) bool {
	if err == nil || errors.Is(err, errUncertain) {
		return false
	}
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return true
	}
	full := []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}
	if pe := (*os.PathError)(nil); errors.As(err, &pe) {
		return pe.Op == "write" && slices.ContainsFunc(full, func(e syscall.Errno) bool { return errors.Is(pe, e) })
	}
	text := err.Error()
	return strings.HasPrefix(text, "file resize error") && slices.ContainsFunc(full, func(e syscall.Errno) bool { return strings.Contains(text, e.Error()) })
}

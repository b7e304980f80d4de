package blockstore

import (
	"time"

	"edged"

	"go.etcd.io/bbolt"
)

const (
	freeEvery = 5 * time.Second // freeing rewrites pages at the old end of the log: seldom, unless space runs short
	freeMost  = 8192            // entries freed in one commit at most
)

// free deletes entries that no cursor needs, once all that are expected are there: of the block log those older than keep (all of them when space runs short),
// of a result log at once. The newest tick stays: it carries the totals.
func (s *Store) free(tx *bbolt.Tx, r *round) error {
	short := s.Short()
	if !short && time.Since(s.freed) < freeEvery {
		return nil
	}
	s.freed = time.Now()
	cursors := make(map[string]edged.Cursor, len(s.pub.cursors)+len(r.upd.Cursors))
	for name, c := range s.pub.cursors {
		cursors[name] = c
	}
	for _, name := range r.upd.Forget {
		delete(cursors, name)
	}
	for _, c := range r.upd.Cursors {
		cursors[c.Name] = c
	}
	if s.awaits(cursors) {
		return nil
	}
	left := freeMost
	for stream, end := range s.ends {
		for _, gap := range needs(cursors, stream).Gaps(0, end.next) {
			n, err := freeRange(tx, resultKey(stream, gap.From), left, func(k, _ []byte) bool {
				return isResultOf(k, stream) && seqOf(k) < gap.To
			})
			if err != nil {
				return err
			}
			left -= n
		}
	}
	newest := s.next
	if r.tick != nil {
		newest = r.tick.Seq
	} else if s.lastTick != nil {
		newest = s.lastTick.Seq
	}
	now := (&edged.Tick{Receivers: r.totals.receivers}).Newest()
	expired := func(k, v []byte) bool { return short || s.expired(v, now) }
	for _, gap := range needs(cursors, "").Gaps(0, newest) {
		n, err := freeRange(tx, logKey(gap.From), left, func(k, v []byte) bool {
			return isLogKey(k) && seqOf(k) < gap.To && expired(k, v)
		})
		if err != nil {
			return err
		}
		left -= n
	}
	s.meter.freed.Add(freeMost - left)
	return nil
}

// freeRange deletes entries from key on, as long as more says so, and at most most of them. more gets the entry's value.
func freeRange(tx *bbolt.Tx, key []byte, most int, more func(k, v []byte) bool) (int, error) {
	var keys [][]byte
	c := tx.Cursor()
	for k, _ := c.Seek(key); k != nil && len(keys) < most; k, _ = c.Next() {
		if !more(k, valueOf(tx, k)) {
			break
		}
		keys = append(keys, append([]byte(nil), k...))
	}
	for _, k := range keys {
		if err := tx.DeleteBucket(k); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}

// expired reports whether an entry is past keep at the newest time that is known. One from an epoch before the present one has no age that could be
// trusted; it is not kept for replay.
func (s *Store) expired(v []byte, now edged.Instant) bool {
	h, ok := headerOf(v)
	if !ok {
		return true // damaged: nothing to replay
	}
	age := now.Wall - h.at.Wall
	return h.at.Epoch != now.Epoch || age >= int64(s.cfg.Keep) || -age >= int64(s.cfg.Keep) // what a chained stream gave can be dated ahead
}

// needs is what the cursors of one log still need.
func needs(cursors map[string]edged.Cursor, log string) edged.Spans {
	var u edged.Spans
	for _, c := range cursors {
		if c.Log == log {
			u = u.Union(c.Need)
		}
	}
	return u
}

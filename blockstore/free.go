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
			n, err := freeResults(tx, stream, gap, left)
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
	for _, gap := range needs(cursors, "").Gaps(0, newest) {
		n, err := freeLog(tx, gap, left, func(v []byte) bool { return short || s.expired(v, now) })
		if err != nil {
			return err
		}
		left -= n
	}
	s.meter.freed.Add(freeMost - left)
	return nil
}

// freeResults deletes entries of a stream's result log, and at most most of them.
func freeResults(tx *bbolt.Tx, stream string, gap edged.Span, most int) (int, error) {
	var d doomed
	c := tx.Cursor()
	for k, _ := c.Seek(resultKey(stream, gap.From)); isResultOf(k, stream) && seqOf(k) < gap.To && len(d) < most; k, _ = c.Next() {
		d.add(c.Bucket(), k)
	}
	return len(d), d.delete()
}

// freeLog deletes entries of the block log as long as they are expired, which gets an entry's value, and at most most of them.
func freeLog(tx *bbolt.Tx, gap edged.Span, most int, expired func(v []byte) bool) (int, error) {
	var d doomed
	c := newLogCursor(tx)
	for ok := c.Seek(gap.From); ok && c.Seq() < gap.To && len(d) < most && expired(c.Value()); ok = c.Next() {
		d.add(c.in[c.at], c.k)
	}
	return len(d), d.delete()
}

// doomed are entries that are to be deleted, when no cursor goes over them any more.
type doomed []struct {
	in  *bbolt.Bucket
	key []byte
}

func (d *doomed) add(in *bbolt.Bucket, key []byte) {
	*d = append(*d, struct {
		in  *bbolt.Bucket
		key []byte
	}{in, append([]byte(nil), key...)})
}

func (d doomed) delete() error {
	for _, e := range d {
		if err := e.in.DeleteBucket(e.key); err != nil {
			return err
		}
	}
	return nil
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

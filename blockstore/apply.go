package blockstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"edged"

	"go.etcd.io/bbolt"
)

// apply writes what a round moves: results, cursors and puts, in the same transaction as its blocks; and what it takes in.
func (s *Store) apply(tx *bbolt.Tx, r *round) error {
	r.ends = map[string]logEnd{}
	for i := range r.upd.Results {
		res := &r.upd.Results[i]
		end, ok := r.ends[res.Stream]
		if !ok {
			end = s.ends[res.Stream]
		}
		end.next = max(end.next, 1)
		res.Seq = end.next
		v := appendResult(nil, header{seq: end.next, start: end.cum}, res)
		if err := putEntry(tx, resultKey(res.Stream, end.next), v); err != nil {
			return err
		}
		r.logged += int64(len(v))
		r.ends[res.Stream] = logEnd{end.next + 1, end.cum + resultFootprint(len(v))}
	}
	cursors, err := bucket(tx, cursorsBucket)
	if err != nil {
		return err
	}
	for _, name := range r.upd.Forget {
		if err := cursors.Delete([]byte(name)); err != nil {
			return err
		}
	}
	for i := range r.upd.Cursors {
		c := &r.upd.Cursors[i]
		if err := cursors.Put([]byte(c.Name), appendCursor(nil, c)); err != nil {
			return err
		}
	}
	for _, stream := range r.upd.ForgetStreams {
		r.totals.forget(stream)
		if err := deleteResults(tx, stream, 0, edged.Forever); err != nil {
			return err
		}
	}
	var puts []edged.Put // in the order in which they were submitted, those of riders last
	done := 0            // of those of r.upd
	for _, p := range r.taken {
		puts = append(append(puts, r.upd.Puts[done:p.after]...), p.u.Puts...)
		done = p.after
	}
	if err := putAll(tx, s.next, append(puts, r.upd.Puts[done:]...)); err != nil {
		return err
	}
	return noteReceived(tx, r.parcels)
}

// putAll writes values in the order of their keys: the library keeps what a transaction adds in sorted arrays, and what comes in any other
// order is moved again and again. Tens of thousands of groups took minutes. Of two values for one key the later one stays. It sorts puts. end is the
// end of the block log with this commit.
func putAll(tx *bbolt.Tx, end uint64, puts []edged.Put) error {
	slices.SortStableFunc(puts, func(a, b edged.Put) int {
		return cmp.Or(strings.Compare(a.Space, b.Space), strings.Compare(a.Key, b.Key))
	})
	var b *bbolt.Bucket
	apart := false // this space is
	for i, p := range puts {
		var err error
		if i == 0 || p.Space != puts[i-1].Space {
			if b, err = tx.CreateBucketIfNotExists(spaceKey(p.Space)); err != nil {
				return fmt.Errorf("space %s: %w", p.Space, err)
			}
			apart = false
		}
		if p.Apart && !apart {
			if _, err = b.CreateBucketIfNotExists(apartKey); err != nil {
				return fmt.Errorf("space %s: %w", p.Space, err)
			}
			apart = true
		}
		value := p.Value
		if p.At != nil {
			value = p.At(end)
		}
		if value == nil {
			err = b.Delete([]byte(p.Key))
		} else {
			err = b.Put([]byte(p.Key), sealIn(string(spaceKey(p.Space)), p.Key, append(make([]byte, 0, len(value)+4), value...)))
		}
		if err != nil {
			return fmt.Errorf("space %s, key %q: %w", p.Space, p.Key, err)
		}
	}
	return nil
}

// deleteResults deletes the entries [from, to) of a stream's result log.
func deleteResults(tx *bbolt.Tx, stream string, from, to uint64) error {
	var keys [][]byte
	c := tx.Cursor()
	for k, _ := c.Seek(resultKey(stream, from)); k != nil && isResultOf(k, stream) && seqOf(k) < to; k, _ = c.Next() {
		keys = append(keys, append([]byte(nil), k...))
	}
	for _, k := range keys {
		if err := tx.DeleteBucket(k); err != nil {
			return err
		}
	}
	return nil
}

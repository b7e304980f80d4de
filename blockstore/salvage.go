package blockstore

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"edged"
	"edged/internal/durable"

	"go.etcd.io/bbolt"
)

// salvageBytes is what is copied in one transaction, about.
const salvageBytes = 8 << 20

// WriteTo makes a new store of everything in the archive that can be read, with a UUID of its own, in a file that does not
// exist yet. It is synced when WriteTo returns; after an error it is gone. What is in it is the note's; at and file are for it.
//
// Log entries keep their numbers. One that is there and cannot be read is copied as it is, so that who comes to it can count it.
// Entries that lie about and that no cursor needs were freed before: they are left out, if the cursors are known.
func (a *Archive) WriteTo(path string, at time.Time, file string) (n Note, err error) {
	db, err := newFile(path)
	if err != nil {
		return n, err
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
		err = errors.Join(err, db.Close())
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	w := &writer{db: db}
	n = Note{Older: a.older(), At: at.Truncate(time.Second), Why: a.Why(), File: file}
	for _, log := range a.sortedLogs() {
		if err := a.copyLog(w, log, &n); err != nil {
			return n, err
		}
	}
	if err := a.copyBuckets(w, &n); err != nil {
		return n, err
	}
	if err := a.copyCursors(w, &n); err != nil {
		return n, err
	}
	m := newMeta()
	m.era, m.lost = a.era()+1, !a.cursorsWhole || a.unnamed
	n.NoCursors = !a.cursorsWhole
	if err := w.do(0, func(tx *bbolt.Tx) error { return n.write(tx) }); err != nil {
		return n, err
	}
	if err := w.commit(); err != nil {
		return n, err
	}
	return n, makeMeta(db, m) // last: a file without it is not complete
}

// lastTicks is how many of the last entries are looked at for the newest tick: it carries the totals, and nobody needs it.
const lastTicks = 64

// older reports whether what was read may be an earlier state than the newest: only one meta page can be read.
func (a *Archive) older() bool {
	if a.p == nil {
		return false
	}
	good, bad := a.p.InForce(bootID())
	return len(good) == 1 && len(bad) > 0
}

// newFile makes an empty database.
func newFile(path string) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o640, &bbolt.Options{Timeout: time.Second, PageSize: pageSize, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: !durable.Syncs,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			return os.OpenFile(name, flag|os.O_EXCL, perm)
		}})
}

func (a *Archive) sortedLogs() (out []string) {
	for log := range a.logs {
		out = append(out, log)
	}
	slices.Sort(out)
	return out
}

// era is the highest of the numbers' eras.
func (a *Archive) era() uint64 {
	era := a.meta.era
	for _, slots := range a.logs {
		if len(slots) > 0 {
			era = max(era, slots[len(slots)-1].seq>>edged.EraShift)
		}
	}
	for _, c := range a.cursors {
		era = max(era, c.Need.Highest()>>edged.EraShift)
	}
	return era
}

// needed is the first entry of a log that a cursor needs; 0 if the cursors are not all known.
func (a *Archive) needed(log string) uint64 {
	if !a.cursorsWhole || len(a.lost) > 0 {
		return 0
	}
	first := uint64(edged.Forever)
	for _, c := range a.cursors {
		if at, ok := c.Need.Next(0); ok && c.Log == log {
			first = min(first, at)
		}
	}
	return first
}

func (a *Archive) copyLog(w *writer, log string, n *Note) error {
	slots, one := a.logs[log], log != "" && a.oneState()
	from := a.needed(log)
	next := uint64(0)
	for len(slots) > 0 {
		k := 1
		for k < len(slots) && slots[k].seq == slots[0].seq {
			k++
		}
		group := slots[:k]
		slots = slots[k:]
		seq := group[0].seq
		if one && group[0].rank > 0 {
			continue // of another commit than the cursors: it was delivered, or its stream, which does not know of it, gives it once more
		}
		v, err := []byte(nil), error(nil)
		if spare := group[0].rank > 0 && seq < from; !spare || len(slots) < lastTicks {
			if v, err = a.read(log, group); spare && (err != nil || v[0] != 'T') {
				continue
			}
		} else {
			continue
		}
		if v == nil { // not even its bytes
			n.BadEntries++
			continue
		}
		if err != nil {
			n.BadEntries++
		} else {
			n.Entries++
		}
		if next != 0 && seq > next && seq>>edged.EraShift == next>>edged.EraShift && next >= from {
			n.MissingEntries += seq - next
		}
		next = seq + 1
		key := logKey(seq)
		if log != "" {
			key = resultKey(log, seq)
		}
		if err := w.do(len(v), func(tx *bbolt.Tx) error { return putEntry(tx, key, v) }); err != nil {
			return err
		}
	}
	return nil
}

// copyBuckets copies the spaces, and what was set aside before. Bytes that do not match their CRC are copied as they are: their
// owner finds them, and knows that something is missing.
func (a *Archive) copyBuckets(w *writer, n *Note) error {
	for _, name := range sortedKeys(a.buckets) {
		b := a.buckets[name]
		for _, key := range sortedKeys(b.at) {
			v, err := a.p.Read(b.at[key].off, b.at[key].n)
			if err == nil && name != string(asideBucket) {
				v, err = a.reseal(name, key, v)
			}
			if err != nil {
				n.badValue(name, key)
				if v == nil {
					v = []byte("????")
				}
				if err := w.put(string(asideBucket), string(asideKey(name, key)), v); err != nil {
					return err
				}
			} else if name != string(asideBucket) {
				n.Values++
			}
			if err := w.put(name, key, v); err != nil {
				return err
			}
		}
		if b.whole {
			continue
		}
		n.TornSpaces = append(n.TornSpaces, bucketName(name))
		if strings.HasPrefix(name, string(rune(spacePrefix))) { // a value that cannot be read stands for those that are gone
			if err := w.put(name, goneKey, []byte("gone")); err != nil {
				return err
			}
			if err := w.put(string(asideBucket), string(asideKey(name, goneKey)), []byte("gone")); err != nil {
				return err
			}
		}
	}
	return nil
}

// goneKey is the key of a value that cannot be read, which stands for values of its space that were lost with their keys.
const goneKey = "\x00gone"

// reseal returns a value sealed as in the present format, or as it is with an error if it is damaged.
func (a *Archive) reseal(bucket, key string, v []byte) ([]byte, error) {
	if _, err := unsealIn(bucket, key, v); err == nil {
		return v, nil
	}
	if a.meta.format <= 1 {
		if body, err := unseal(v); err == nil {
			return sealIn(bucket, key, slices.Clone(body)), nil
		}
	}
	return v, errChecksum
}

func (a *Archive) copyCursors(w *writer, n *Note) error {
	for _, name := range sortedKeys(a.cursors) {
		c := a.cursors[name]
		n.Cursors++
		if c.rank > 0 {
			n.OldCursors = append(n.OldCursors, name)
		}
		if err := w.put(string(cursorsBucket), name, appendCursor(nil, &c.Cursor)); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(a.lost) {
		n.LostCursors = append(n.LostCursors, name)
		c := lost(name, func(stream string) bool { return len(a.logs[stream]) > 0 })
		if err := w.put(string(cursorsBucket), name, appendCursor(nil, &c)); err != nil {
			return err
		}
	}
	return nil
}

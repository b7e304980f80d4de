package blockstore

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"edged"

	"go.etcd.io/bbolt"
)

// mend reads the cursors, and looks at the values of all spaces. The bytes of what is damaged are set aside, once. In the place of
// a cursor comes an older copy of it, if one lies about in the file, or one that says that it was lost; values stay as they are, and
// whoever reads them is told. The structure of the file is sound: inspect has looked.
func (s *Store) mend() error {
	var bad []asideValue
	if err := s.view(func(tx *bbolt.Tx) error {
		b, err := bucket(tx, cursorsBucket)
		if err != nil {
			return err
		}
		err = b.ForEach(func(k, v []byte) error {
			c, err := readCursor(string(k), v)
			if err != nil {
				bad = append(bad, asideValue{string(cursorsBucket), string(k), slices.Clone(v)})
				return nil
			}
			s.pub.cursors[c.Name] = c
			return nil
		})
		if err != nil {
			return err
		}
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			if name[0] != spacePrefix {
				return nil
			}
			space := string(name)
			return eachValue(b, func(k, v []byte) error {
				if _, err := readValue(space, string(k), v); err != nil && !isAside(tx, space, string(k)) {
					bad = append(bad, asideValue{space, string(k), copyOf(v)})
				}
				return nil
			})
		})
	}); err != nil {
		return err
	}
	if len(bad) == 0 {
		return nil
	}
	n := Note{At: time.Now().Truncate(time.Second), Why: fmt.Sprintf("%d values do not match their checksums", len(bad))}
	cursors := s.mendCursors(bad, &n)
	err := s.db.Update(func(tx *bbolt.Tx) error { return s.setAside(tx, bad, cursors, &n) })
	if err != nil { // a full disk: what is in memory is right, and the next start does this again
		s.log.Warn("what was damaged in the store cannot be set aside now", "file", s.path, "error", err)
		s.pub.notes = append(s.pub.notes, n)
	}
	s.log.Error(n.Sentence())
	return nil
}

// asideValue is a value that cannot be read.
type asideValue struct {
	bucket, key string
	bytes       []byte
}

// asideKey is where its bytes are kept.
func asideKey(bucket, key string) []byte { return []byte("value/" + bucket + "\x00" + key) }

func isAside(tx *bbolt.Tx, bucket, key string) bool {
	b := tx.Bucket(asideBucket)
	return b != nil && b.Get(asideKey(bucket, key)) != nil
}

func readCursor(name string, v []byte) (c edged.Cursor, err error) {
	body, err := readValue(string(cursorsBucket), name, v)
	if err != nil {
		return c, err
	}
	return cursorOf(name, body)
}

// copyOf copies what can be read of a value in the mapped file.
func copyOf(v []byte) (b []byte) {
	defer func() {
		if recover() != nil {
			b = []byte{}
		}
	}()
	return append([]byte{}, v...)
}

// mendCursors finds what comes in the place of damaged cursors, and makes it the present.
func (s *Store) mendCursors(bad []asideValue, n *Note) (out []edged.Cursor) {
	var a *Archive
	for _, v := range bad {
		if v.bucket != string(cursorsBucket) {
			n.badValue(v.bucket, v.key)
			continue
		}
		if a == nil {
			a = s.olderCursors()
		}
		c, ok := kept{}, false
		if a != nil {
			c, ok = a.cursors[v.key]
		}
		if ok {
			n.OldCursors = append(n.OldCursors, v.key)
		} else {
			n.LostCursors = append(n.LostCursors, v.key)
			c.Cursor = lost(v.key, s.hasResults)
		}
		s.pub.cursors[v.key] = c.Cursor
		out = append(out, c.Cursor)
	}
	if len(out) > 0 { // the numbers that they named are not known, and it may be a name that is damaged
		s.meta.lost = true
		s.meta.era = max(s.meta.era, s.highestEra()) + 1
	}
	return out
}

// olderCursors looks for copies in what earlier transactions have left in the file; nil if the file cannot be read that way.
func (s *Store) olderCursors() *Archive {
	f, err := os.Open(s.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	a, err := readArchive(f, true)
	if err != nil {
		return nil
	}
	return a
}

func (s *Store) hasResults(stream string) (some bool) {
	_ = s.view(func(tx *bbolt.Tx) error {
		k, _ := tx.Cursor().Seek(resultKey(stream, 0))
		some = k != nil && isResultOf(k, stream)
		return nil
	})
	return some
}

// highestEra is that of the numbers in the file.
func (s *Store) highestEra() (era uint64) {
	for _, c := range s.pub.cursors {
		era = max(era, c.Need.Highest()>>edged.EraShift)
	}
	_ = s.view(func(tx *bbolt.Tx) error {
		c := tx.Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if _, seq, ok := entryKey(k); ok {
				era = max(era, seq>>edged.EraShift)
			}
		}
		if l := newLogCursor(tx); l.Last() {
			era = max(era, l.Seq()>>edged.EraShift)
		}
		return nil
	})
	return era
}

// setAside writes what was decided.
func (s *Store) setAside(tx *bbolt.Tx, bad []asideValue, cursors []edged.Cursor, n *Note) error {
	aside, err := tx.CreateBucketIfNotExists(asideBucket)
	if err != nil {
		return err
	}
	for _, v := range bad {
		if err := aside.Put(asideKey(v.bucket, v.key), v.bytes); err != nil {
			return err
		}
	}
	b, err := bucket(tx, cursorsBucket)
	if err != nil {
		return err
	}
	for i := range cursors {
		if err := b.Put([]byte(cursors[i].Name), appendCursor(nil, &cursors[i])); err != nil {
			return err
		}
	}
	if err := s.meta.put(tx); err != nil {
		return err
	}
	return n.write(tx)
}

// Claim names the cursors that the configuration has. If the store was salvaged, and may have lost cursors of which not even the names
// are known, those that are not there count as lost. It is called before Run, with all of them at once.
func (s *Store) Claim(names []string) error {
	if !s.meta.lost {
		return nil
	}
	var missing []edged.Cursor
	for _, name := range names {
		if _, ok := s.pub.cursors[name]; ok {
			continue
		}
		c := lost(name, s.hasResults)
		missing = append(missing, c)
		s.pub.cursors[name] = c
	}
	m := s.meta
	m.lost = false
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b, err := bucket(tx, cursorsBucket)
		if err != nil {
			return err
		}
		for i := range missing {
			if err := b.Put([]byte(missing[i].Name), appendCursor(nil, &missing[i])); err != nil {
				return err
			}
		}
		return m.put(tx)
	})
	if err != nil && !isFull(err) {
		return fmt.Errorf("the store %s: lost cursors cannot be written: %w", s.path, err)
	}
	if err == nil {
		s.meta = m
	}
	return nil
}

// lost stands for a cursor that was lost. A delivery reads its stream's results if there are any, else the block log; a sink reads
// through its deliveries, and what counts the rows of a side log reads nothing.
func lost(name string, hasResults func(stream string) bool) edged.Cursor {
	c := edged.Cursor{Name: name, Need: edged.SpansFrom(0), Lost: true}
	if stream, _, ok := edged.SplitDelivery(name); ok && hasResults(stream) {
		c.Log = stream
	}
	if strings.HasPrefix(name, "sink/") || strings.HasPrefix(name, edged.SideCursor("")) {
		c.Need = nil
	}
	return c
}

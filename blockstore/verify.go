package blockstore

import (
	"context"
	"fmt"
	"os"

	"edged/blockstore/pages"

	"go.etcd.io/bbolt"
)

// Verify checks the structure of the file and every checksum, beside whatever the store does, and tells what is damaged, a line each. The
// pages are looked at in one read transaction; each value in a short one of its own.
func (s *Store) Verify(ctx context.Context, say func(string)) error {
	if err := s.verifyPages(say); err != nil {
		return err
	}
	var keys [][]byte
	if err := s.keysOf(func(_ *bbolt.Bucket, k []byte) { keys = append(keys, append([]byte(nil), k...)) }); err != nil {
		return err
	}
	for _, k := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.view(func(tx *bbolt.Tx) error {
			if log, seq, ok := entryKey(k); ok {
				v := resultEntry(tx, k)
				if log == "" {
					v = logEntry(tx, seq)
				}
				if v != nil {
					verifyEntry(log, seq, copyOf(v), say)
				}
			} else if b := tx.Bucket(k); b != nil && string(k) != string(asideBucket) {
				return eachValue(b, func(key, v []byte) error {
					verifyValue(string(k), string(key), copyOf(v), formatVersion, say)
					return nil
				})
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// verifyPages looks at the pages of the newest state, which a read transaction keeps in place.
func (s *Store) verifyPages(say func(string)) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.view(func(tx *bbolt.Tx) error {
		p := pages.New(f, tx.Size(), pageSize)
		v := &survey{p: p, bad: func(d pages.Damage) { say(d.String()) }}
		v.begin(uint64(tx.Size()) / pageSize)
		v.w.Tree(uint64(tx.Cursor().Bucket().Root()), v.top)
		return nil
	})
}

// Verify checks the structure of the file and every checksum, and tells what is damaged, a line each.
func (a *Archive) Verify(ctx context.Context, say func(string)) error {
	for _, d := range a.condition.damage {
		say(d.String())
	}
	if n := a.condition.count - len(a.condition.damage); n > 0 {
		say(fmt.Sprintf("and %d pages more", n))
	}
	for _, log := range a.sortedLogs() {
		for _, s := range a.logs[log] {
			if err := ctx.Err(); err != nil {
				return err
			}
			v, err := a.p.Read(s.off, s.n)
			if err != nil {
				say(fmt.Sprintf("%s: %v", entryTitle(log, s.seq), err))
				continue
			}
			verifyEntry(log, s.seq, v, say)
		}
	}
	for _, name := range sortedKeys(a.buckets) {
		for _, key := range sortedKeys(a.buckets[name].at) {
			if v, err := a.p.Read(a.buckets[name].at[key].off, a.buckets[name].at[key].n); err == nil && name != string(asideBucket) {
				verifyValue(name, key, v, a.meta.format, say)
			}
		}
	}
	for _, name := range sortedKeys(a.lost) {
		say(fmt.Sprintf("cursor %s: %v", name, errChecksum))
	}
	return nil
}

func entryTitle(log string, seq uint64) string {
	if log == "" {
		return fmt.Sprintf("block log, entry %d", seq)
	}
	return fmt.Sprintf("results of %s, entry %d", log, seq)
}

func verifyEntry(log string, seq uint64, v []byte, say func(string)) {
	var err error
	if log == "" {
		err = decodeEntry(seq, v).Err
	} else {
		_, err = decodeResult(log, seq, v)
	}
	if err != nil {
		say(fmt.Sprintf("%s: %v", entryTitle(log, seq), err))
	}
}

func verifyValue(bucket, key string, v []byte, format uint32, say func(string)) {
	_, err := unsealIn(bucket, key, v)
	if err != nil && (format <= 1 || bucket == string(metaBucket)) {
		_, err = unseal(v)
	}
	if err != nil {
		say(fmt.Sprintf("%s, value %q: %v", bucketName(bucket), key, err))
	}
}

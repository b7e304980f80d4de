package blockstore

import (
	"fmt"

	"edged"

	"go.etcd.io/bbolt"
)

// End is the position after the newest entry of the block log.
func (s *Store) End() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pub.end
}

// Next returns the first entry of the block log at or after seq, or false if there is none yet. A damaged entry is returned
// with its Err; the one after it can be read. The error is about the file, not about an entry. Blocks are shared: they
// are not to be changed.
func (s *Store) Next(seq uint64) (edged.Entry, bool, error) {
	s.mu.Lock()
	end := s.pub.end
	e, ok := s.pub.cache.get(seq)
	mem, inMem := s.pub.cache.next(seq)
	s.mu.Unlock()
	if ok || seq >= end {
		return e.Entry, ok, nil
	}
	var found edged.Entry
	err := s.view(func(tx *bbolt.Tx) error {
		c := newLogCursor(tx)
		if !c.Seek(seq) || c.Seq() >= end || inMem && c.Seq() > mem.Seq {
			return nil
		}
		found, ok = readEntry(c.Seq(), c.Value()), true
		return nil
	})
	if err != nil {
		return edged.Entry{}, false, err
	}
	if found.Err != nil {
		s.cannotRead("", found.Seq)
	}
	if !ok && inMem {
		return mem.Entry, true, nil
	}
	return found, ok, nil
}

// Oldest is the position of the oldest entry that is still kept.
func (s *Store) Oldest() (uint64, error) {
	oldest := s.End()
	s.mu.Lock()
	if mem, ok := s.pub.cache.next(0); ok {
		oldest = min(oldest, mem.Seq)
	}
	s.mu.Unlock()
	err := s.view(func(tx *bbolt.Tx) error {
		if c := newLogCursor(tx); c.Seek(0) {
			oldest = min(oldest, c.Seq())
		}
		return nil
	})
	return oldest, err
}

// ResultEnd is the position after the newest entry of a stream's result log; its first entry has number 1.
func (s *Store) ResultEnd(stream string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.pub.results[stream].next, 1)
}

// NextResult returns the first entry of a stream's result log at or after seq, or false if there is none yet. A damaged
// entry is returned as an error of its own, with its number in the Result.
func (s *Store) NextResult(stream string, seq uint64) (edged.Result, bool, error) {
	if seq >= s.ResultEnd(stream) {
		return edged.Result{}, false, nil
	}
	return s.resultAt(stream, func(c *bbolt.Cursor) []byte {
		k, _ := c.Seek(resultKey(stream, seq))
		return k
	})
}

// LastResult returns the newest entry of a stream's result log that is kept, or false if there is none: most are freed when they were delivered. It is not the one before
// ResultEnd if a new era has begun since, or the end of the log was lost. A damaged entry is as in NextResult.
func (s *Store) LastResult(stream string) (edged.Result, bool, error) {
	return s.resultAt(stream, func(c *bbolt.Cursor) (k []byte) {
		if k, _ = c.Seek(append(resultKey(stream, edged.Forever), 0)); k == nil { // it ends with the file's last key
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		return k
	})
}

// resultAt reads the entry whose key find returns, if it is one of the stream's.
func (s *Store) resultAt(stream string, find func(*bbolt.Cursor) []byte) (res edged.Result, ok bool, err error) {
	verr := s.view(func(tx *bbolt.Tx) error {
		k := find(tx.Cursor())
		if k == nil || !isResultOf(k, stream) {
			return nil
		}
		res, err = readResult(stream, seqOf(k), resultEntry(tx, k))
		res.Seq, ok = seqOf(k), true
		return nil
	})
	if verr != nil {
		return edged.Result{}, false, verr
	}
	if err != nil {
		s.cannotRead(stream, res.Seq)
	}
	return res, ok, err
}

// eachValue is the library's ForEach for the values of a space.
func eachValue(b *bbolt.Bucket, each func(k, v []byte) error) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil && string(k) == string(apartKey) {
			return nil
		}
		return each(k, v)
	})
}

// Values calls each for every value of a space, in key order, within one read transaction: each is to be quick, and key
// and value are only valid during the call. A damaged value is given as an error.
func (s *Store) Values(space string, each func(key string, value []byte, err error) error) error {
	return s.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(spaceKey(space))
		if b == nil {
			return nil
		}
		return eachValue(b, func(k, v []byte) error {
			body, err := readValue(string(spaceKey(space)), string(k), v)
			if err != nil {
				err = fmt.Errorf("value %q of %s is damaged: %w", k, space, err)
			}
			return each(string(k), body, err)
		})
	})
}

// Pending is what a consumer with these needs holds back of the file, in bytes, about (see footprint).
func (s *Store) Pending(log string, need edged.Spans) int64 {
	var sum uint64
	for _, sp := range need {
		from, to := s.cumAt(log, sp.From), s.cumAt(log, sp.To)
		if to > from {
			sum += to - from
		}
	}
	return int64(sum)
}

// cumAt is what a log takes of the file before an entry.
func (s *Store) cumAt(log string, seq uint64) uint64 {
	s.mu.Lock()
	end, cum := s.pub.end, s.pub.cum
	if log != "" {
		end, cum = s.pub.results[log].next, s.pub.results[log].cum
	}
	e, ok := s.pub.cache.entries[seq]
	s.mu.Unlock()
	switch {
	case seq >= end:
		return cum
	case ok && log == "":
		return e.start
	}
	return s.cumInFile(log, seq, cum)
}

// cumInFile is what a log takes of the file before the first entry from seq on that is in the file; end if there is none.
func (s *Store) cumInFile(log string, seq, end uint64) (cum uint64) {
	cum = end
	_ = s.view(func(tx *bbolt.Tx) error {
		starts := func(v []byte) bool {
			h, ok := headerOf(v)
			if ok {
				cum = min(cum, h.start)
			}
			return ok
		}
		if log == "" {
			c := newLogCursor(tx)
			for ok := c.Seek(seq); ok && !starts(c.Value()); ok = c.Next() {
			}
			return nil
		}
		c := tx.Cursor()
		for k, _ := c.Seek(resultKey(log, seq)); isResultOf(k, log) && !starts(resultEntry(tx, k)); k, _ = c.Next() {
		}
		return nil
	})
	return cum
}

// view is a read transaction in which a read error of the mapped file is an error, not a crash.
func (s *Store) view(f func(tx *bbolt.Tx) error) (err error) {
	fault, err := s.db.view(f)
	if fault != nil {
		return fmt.Errorf("the store %s cannot be read: %v", s.path, fault)
	}
	return err
}

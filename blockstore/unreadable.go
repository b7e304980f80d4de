package blockstore

import (
	"cmp"
	"fmt"
	"slices"

	"edged"

	"go.etcd.io/bbolt"
)

// entryName names a log entry.
type entryName struct {
	log string
	seq uint64
}

const unreadableKept = 1000

// cannotRead remembers an entry that a reader came to and that cannot be read.
func (s *Store) cannotRead(log string, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unreadable) < unreadableKept {
		s.unreadable[entryName{log, seq}] = true
	}
}

// Unreadable says which log entries readers have come to since the start that cannot be read, in words; "" if there are none.
// The ledger counts the messages in them as damaged.
func (s *Store) Unreadable() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []entryName
	for n := range s.unreadable {
		names = append(names, n)
	}
	if len(names) == 0 {
		return ""
	}
	slices.SortFunc(names, func(a, b entryName) int { return cmp.Or(cmp.Compare(a.log, b.log), cmp.Compare(a.seq, b.seq)) })
	text := ""
	for i, n := range names {
		switch {
		case i == 5:
			return fmt.Sprintf("%s and %d more", text, len(names)-i)
		case i > 0:
			text += ", "
		}
		if n.log == "" {
			text += fmt.Sprintf("block log %d", n.seq)
		} else {
			text += fmt.Sprintf("results of %s %d", n.log, n.seq)
		}
	}
	return text
}

// resultEntry returns the value of an entry of a result log; nil if there is none.
func resultEntry(tx *bbolt.Tx, key []byte) []byte { return valueIn(tx.Cursor().Bucket(), key) }

// valueIn returns the value of a log entry, which stands in a bucket; nil if there is none.
func valueIn(in *bbolt.Bucket, key []byte) []byte {
	b := in.Bucket(key)
	if b == nil {
		return nil
	}
	return b.Get(valueKey)
}

// A read of the mapped file can fail at any byte: it is a fault, which the caller has asked to be a panic. It is then this entry that is
// damaged, and not the file.

// headerOf is readHeader of a value in the mapped file.
func headerOf(v []byte) (h header, ok bool) {
	defer func() {
		if recover() != nil {
			h, ok = header{}, false
		}
	}()
	return readHeader(v)
}

// readEntry is decodeEntry of a value in the mapped file.
func readEntry(seq uint64, v []byte) (e edged.Entry) {
	defer func() {
		if p := recover(); p != nil {
			e = edged.Entry{Seq: seq, Err: fmt.Errorf("log entry %d cannot be read: %v", seq, p)}
		}
	}()
	return decodeEntry(seq, v)
}

// readResult is decodeResult of a value in the mapped file.
func readResult(stream string, seq uint64, v []byte) (res edged.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = edged.Result{}, fmt.Errorf("result %d of stream %s cannot be read: %v", seq, stream, p)
		}
	}()
	return decodeResult(stream, seq, v)
}

// readValue is unsealIn of a value in the mapped file.
func readValue(bucket, key string, v []byte) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, fmt.Errorf("it cannot be read: %v", p)
		}
	}()
	return unsealIn(bucket, key, v)
}

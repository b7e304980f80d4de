package blockstore

import "go.etcd.io/bbolt"

// logCursor goes over the block log in the order of its numbers: first the shelf, then the top level. It is good for as long as its transaction is, and until
// that changes the log.
type logCursor struct {
	tx *bbolt.Tx
	in [2]*bbolt.Bucket // the shelf, or nil; the top level
	c  [2]*bbolt.Cursor
	at int // where it stands
	k  []byte
}

func newLogCursor(tx *bbolt.Tx) *logCursor {
	top := tx.Cursor()
	l := &logCursor{tx: tx, in: [2]*bbolt.Bucket{tx.Bucket(shelfBucket), top.Bucket()}, c: [2]*bbolt.Cursor{nil, top}}
	if l.in[0] != nil {
		l.c[0] = l.in[0].Cursor()
	}
	return l
}

// Seek moves to the first entry at or after seq. Like the other moves it reports whether there is one.
func (l *logCursor) Seek(seq uint64) bool {
	key := logKey(seq)
	if l.at = 0; l.c[0] != nil {
		if l.k, _ = l.c[0].Seek(key); isLogKey(l.k) {
			return true
		}
	}
	l.at = 1
	l.k, _ = l.c[1].Seek(key)
	return isLogKey(l.k)
}

// Next moves to the entry behind.
func (l *logCursor) Next() bool {
	if l.k, _ = l.c[l.at].Next(); l.at == 0 && !isLogKey(l.k) {
		l.at = 1
		l.k, _ = l.c[1].Seek(logKey(0))
	}
	return isLogKey(l.k)
}

// Last moves to the newest entry.
func (l *logCursor) Last() bool {
	l.at = 1
	if l.k, _ = l.c[1].Seek(behindLog); l.k == nil {
		l.k, _ = l.c[1].Last()
	} else {
		l.k, _ = l.c[1].Prev()
	}
	return isLogKey(l.k) || l.shelved()
}

// Prev moves to the entry before.
func (l *logCursor) Prev() bool {
	l.k, _ = l.c[l.at].Prev()
	return isLogKey(l.k) || l.at == 1 && l.shelved()
}

// shelved moves to the last entry of the shelf.
func (l *logCursor) shelved() bool {
	if l.at = 0; l.c[0] == nil {
		return false
	}
	l.k, _ = l.c[0].Last()
	return isLogKey(l.k)
}

// Seq is the number of the entry at which it stands.
func (l *logCursor) Seq() uint64 { return seqOf(l.k) }

// Value is that entry's value, in the mapped file; nil if it has none.
func (l *logCursor) Value() []byte { return valueIn(l.in[l.at], l.k) }

// logEntry returns the value of an entry of the block log, in the mapped file; nil if there is none.
func logEntry(tx *bbolt.Tx, seq uint64) []byte {
	if l := newLogCursor(tx); l.Seek(seq) && l.Seq() == seq {
		return l.Value()
	}
	return nil
}

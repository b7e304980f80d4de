package blockstore

import "go.etcd.io/bbolt"

// shelf says how much of the block log stands at the top level. What is older is moved to the shelf, many entries at a time and with a commit that happens
// anyway: the top level stays two pages high, and a usual commit writes one page less. docs/adr/0025-the-shelf.md
type shelf struct {
	most int // entries at the top level, with which they are moved
	keep int // so many of them stay
	step int // moved in one commit at most: a store that was salvaged, or of an older format, has all of them at the top level
}

var usualShelf = shelf{most: 384, keep: 128, step: 512}

// shelve moves the oldest entries of the top level to the shelf, if there are too many of them. What this transaction has made is not among them: the library
// would move what a bucket was before. An entry with pages of its own is moved without them.
func (s *Store) shelve(tx *bbolt.Tx, r *round) error {
	if r.atTop = s.atTop + len(r.entries); r.atTop <= s.shelf.most || s.meta.format < sealedFormat || r.tight {
		return nil
	}
	var keys [][]byte
	if r.atTop, keys = s.shelf.look(tx, r.first); r.atTop <= s.shelf.most { // entries were freed, or have a number only
		return nil
	}
	keys = keys[:min(len(keys), r.atTop-s.shelf.keep)]
	to, err := tx.CreateBucketIfNotExists(shelfBucket)
	if err != nil {
		return err
	}
	top := tx.Cursor().Bucket()
	to.FillPercent = appended
	for _, k := range keys {
		if v := valueIn(top, k); len(v) <= mostInline {
			r.logged += int64(len(v)) // it is written once more, whenever commits are made
		}
		if err := top.MoveBucket(k, to); err != nil {
			return err
		}
	}
	r.atTop -= len(keys)
	return nil
}

// look counts the entries at the top level, as far as it matters, and returns the keys of the oldest, but none from number before on.
func (h shelf) look(tx *bbolt.Tx, before uint64) (n int, keys [][]byte) {
	c := tx.Cursor()
	for k, _ := c.Seek(logKey(0)); isLogKey(k) && n < h.most+h.step; k, _ = c.Next() {
		if n++; len(keys) < h.step && seqOf(k) < before {
			keys = append(keys, append([]byte(nil), k...))
		}
	}
	return n, keys
}

package blockstore

import "go.etcd.io/bbolt"

// shelf says how much of the block log stands at the top level. What is older is moved to the shelf, many entries at a time and with a commit that happens
// anyway: the top level stays two pages high, and a usual commit writes one page less. docs/adr/0025-the-shelf.md
type shelf struct {
	most int // entries at the top level, with which they are moved: at two in a page at least its pages need one page above them
	step int // moved in one commit at most: a store that was salvaged, or of an older format, has all of them at the top level
}

var usualShelf = shelf{most: 160, step: 512}

// shelve moves the entries of the top level to the shelf, if there are too many of them, the oldest first. What this transaction has made stays: the library
// would move what it was before. An entry with pages of its own is moved without them.
//
// What stays shares one page with the small buckets behind it, also when the two had grown apart.
func (s *Store) shelve(tx *bbolt.Tx, r *round) error {
	if r.atTop = s.atTop + len(r.entries); r.atTop <= s.shelf.most || s.meta.format < sealedFormat || r.tight {
		return nil
	}
	var keys [][]byte
	if r.atTop, keys = s.shelf.look(tx, r.first); r.atTop <= s.shelf.most || len(keys) == 0 { // entries were freed, or have a number only
		return nil
	}
	to, err := tx.CreateBucketIfNotExists(shelfBucket)
	if err != nil {
		return err
	}
	to.FillPercent = 1 // nothing comes between what stands there
	top := tx.Cursor().Bucket()
	for _, k := range keys {
		if err := top.MoveBucket(k, to); err != nil {
			return err
		}
	}
	r.atTop -= len(keys)
	r.logged += s.inline // is written once more, at whatever pace commits are made
	r.inline -= s.inline
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

package blockstore

import (
	"errors"

	"go.etcd.io/bbolt"
)

// writer writes in transactions of a bounded size.
type writer struct {
	db   *bbolt.DB
	tx   *bbolt.Tx
	size int
}

func (w *writer) do(size int, f func(tx *bbolt.Tx) error) (err error) {
	if w.tx == nil {
		if w.tx, err = w.db.Begin(true); err != nil {
			return err
		}
		w.size = 0
	}
	if err := f(w.tx); err != nil {
		return errors.Join(err, w.tx.Rollback())
	}
	if w.size += size + 64; w.size >= salvageBytes {
		return w.commit()
	}
	return nil
}

func (w *writer) put(bucket, key string, v []byte) error {
	return w.do(len(key)+len(v), func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), v)
	})
}

func (w *writer) commit() error {
	if w.tx == nil {
		return nil
	}
	tx := w.tx
	w.tx = nil
	return tx.Commit()
}

package blockstore

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"edged/blockstore/pages"

	"go.etcd.io/bbolt"
)

// database is the library's, with commits that need one sync where the library's need two: docs/adr/0024-one-sync-a-commit.md. Everything that
// writes to the store in service goes through Update.
type database struct {
	*bbolt.DB
	mu   sync.Mutex // one transaction at a time, to the end of its sync
	f    *os.File   // the library's own, which closes it
	boot [16]byte

	seal    bool       // transactions are sealed
	last    pages.Meta // and this one is in force
	written *pages.Tracker

	writeAt  func(b []byte, at int64) (int, error) // to f
	syncData func() error                          // f
}

func newDatabase(db *bbolt.DB, f *os.File) *database {
	return &database{DB: db, f: f, boot: bootID(), written: pages.NewTracker(f, pageSize), writeAt: f.WriteAt, syncData: func() error { return syncData(f) }}
}

// begin seals from now on. Whatever the file says is made durable first: who was killed may have written it, and not synced.
func (d *database) begin() error {
	fi, err := d.f.Stat()
	if err != nil {
		return err
	}
	p := pages.New(d.f, fi.Size(), pageSize)
	good, _ := p.InForce(d.boot)
	if len(good) == 0 {
		return errors.New("it has no meta page")
	}
	if err := d.syncData(); err != nil {
		return err
	}
	if s, _, _, whole := p.SealOf(good[0]); !whole || s.Tx != good[0].Tx {
		if err := d.settle(good[0]); err != nil {
			return err
		}
	}
	d.last, d.seal, d.NoSync = good[0], true, true
	return nil
}

// Update makes a transaction, and returns when it is durable. An error that is not errUncertain means that nothing of it is there. It is for any goroutine.
func (d *database) Update(f func(tx *bbolt.Tx) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	tx, err := d.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return d.commit(tx)
}

func (d *database) commit(tx *bbolt.Tx) error {
	id := tx.ID()
	if err := tx.Commit(); err != nil {
		if d.visible(id) {
			return fmt.Errorf("%w: %w", errUncertain, err)
		}
		return err
	}
	if !d.seal {
		return nil
	}
	if err := d.sealed(id); err != nil {
		return fmt.Errorf("%w: %w", errUncertain, err)
	}
	return nil
}

// sealed seals the transaction that was written last, and syncs it.
func (d *database) sealed(id int) error {
	fi, err := d.f.Stat()
	if err != nil {
		return err
	}
	size := fi.Size()
	now := d.written.Meta(size, uint64(id))
	if now.Err != nil || now.Tx != uint64(id) {
		return cmp.Or(now.Err, errors.New("another program changes it"))
	}
	runs, sum, err := d.written.Written(size, now, d.last)
	if err != nil {
		return err
	}
	s := pages.Seal{Tx: now.Tx, Boot: d.boot, Runs: runs, Sum: sum}
	b, fits := s.Append(nil)
	if fits {
		_, err = d.writeAt(b, int64(now.Page)*pageSize+pages.SealAt)
	}
	if err == nil {
		err = d.syncData()
	}
	if err == nil && !fits {
		err = d.settle(now)
	}
	if err == nil {
		d.last = now
	}
	return err
}

// settle says that the transaction of a meta page is on disk, which it is, and returns when that is. It is no run's: none vouches for what came behind it.
func (d *database) settle(m pages.Meta) error {
	s := pages.Seal{Tx: m.Tx}
	b, _ := s.Append(nil)
	if _, err := d.writeAt(b, int64(m.Page)*pageSize+pages.SealAt); err != nil {
		return err
	}
	return d.syncData()
}

// visible reports whether readers would see transaction id, which failed.
func (d *database) visible(id int) bool {
	seen := false
	fault, err := d.view(func(tx *bbolt.Tx) error {
		seen = tx.ID() >= id
		return nil
	})
	return seen || fault != nil || err != nil
}

// view is a read transaction. What cannot be read of the mapped file is a fault, not a crash.
func (d *database) view(f func(tx *bbolt.Tx) error) (fault any, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			fault = v
		}
	}()
	return nil, d.View(f)
}

// withdraw takes back a transaction amid which the power failed, so that the library does not see it either. It reports whether there was one. It can be cut off at any
// place, and is done again.
func withdraw(f *os.File, size int64, boot [16]byte) (bool, error) {
	p := pages.New(f, size, pageSize)
	cut, is := p.Unfinished(boot)
	if !is {
		return false, nil
	}
	b, err := p.Withdrawn(cut)
	if err == nil {
		_, err = f.WriteAt(b, int64(cut.Page)*pageSize)
	}
	if err == nil {
		err = syncData(f)
	}
	if err != nil {
		err = fmt.Errorf("its last commit is not whole, and cannot be taken back: %w", err)
	}
	return true, err
}

package blockstore

import (
	"errors"
	"os"
	"syscall"
	"time"

	"edged/internal/durable"
)

// A file that is made longer has no blocks of the disk until they are written. What is to work on a full disk must have them before:
// the store takes the reserve's blocks ahead of the pages in use. So cursors, results, checkpoints and freeing go on when somebody
// else has filled the disk, and a store on a full disk can be opened and drained. A file system that copies what is written over
// (btrfs, ZFS) needs room for that all the same; one that cannot take blocks ahead (FAT, NFS) keeps the reserve as free space only, where others can take it.

// reserved is what is known of the blocks that the file has. The committer owns it.
type reserved struct {
	to    int64     // the file has blocks up to here, at least
	retry time.Time // not before: the disk had none
	never bool      // the file system cannot
	wall  bool      // the file may not be made longer, however much room the disk has: a quota, a limit of file sizes
}

const reserveRetry = time.Second

// diskReserve is how much of the reserve a disk of that size can give. A file that may not grow further is its own disk.
func (r *reserved) diskReserve(reserve, total int64) int64 {
	if r.wall {
		total = r.to
	}
	return min(reserve, total/8)
}

// takeReserve has the file take blocks for the reserve behind the used bytes at its begin, out of what reserve_free leaves, and returns how
// many bytes of it there are. It does something once in allocStep bytes of growth.
func (s *Store) takeReserve(used, reserve int64) int64 {
	r := &s.reserved
	if r.never || !r.wall && r.to >= min(used+reserve, int64(s.cfg.MaxBytes)) || time.Now().Before(r.retry) {
		return max(0, r.to-used)
	}
	err := s.takeAhead(used, reserve)
	if r.wall = isWall(err); err != nil {
		r.retry = time.Now().Add(reserveRetry)
		r.never = errors.Is(err, errors.ErrUnsupported)
	}
	return max(0, r.to-used)
}

func (s *Store) takeAhead(used, reserve int64) error {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if size := fi.Size(); s.reserved.to == 0 && size > used { // of an earlier run: it has its blocks already, as a rule
		if err := allocate(f, used, size); err != nil {
			return err
		}
		s.reserved.to = size
	}
	total, avail, ok := diskSpace(s.path)
	if !ok {
		return errors.ErrUnsupported
	}
	from := max(s.reserved.to, used)
	to := min(used+min(reserve, total/8)+allocStep, int64(s.cfg.MaxBytes), from+avail-s.kept(total)) / pageSize * pageSize
	if to <= from {
		return syscall.ENOSPC
	}
	err = allocate(f, used, to)
	for isWall(err) && to-from > allocStep { // how far it may go nobody says
		if to = (from + (to-from)/2) / pageSize * pageSize; allocate(f, used, to) == nil {
			s.reserved.to = to
			return errors.Join(err, durable.Sync(f))
		}
	}
	if err != nil {
		return err
	}
	s.reserved.to = to
	return durable.Sync(f)
}

// isWall says that a file may not be made longer, whatever room the disk has.
func isWall(err error) bool {
	return errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.EDQUOT)
}

package file

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"syscall"
)

type inode struct {
	number uint64
	data   []byte // what reads see
	disk   []byte
	dirty  []bool // for each byte of data: Sync is to write it
}

func (i *inode) stat() stat { return stat{inode: i.number, size: int64(len(i.data)), regular: true} }

// cut leaves of an inode what a power cut does: of the bytes that differ a beginning, a part with a hole, or none.
func (i *inode) cut(dice *rand.Rand) {
	var now []byte // what was synced or may have been written back meanwhile
	for k, b := range i.data {
		if i.dirty[k] || k < len(i.disk) && i.disk[k] == b {
			now = append(now, b)
		} else if k < len(i.disk) { // its sync failed
			now = append(now, i.disk[k])
		} else {
			now = append(now, 0)
		}
	}
	first := 0
	for first < min(len(now), len(i.disk)) && now[first] == i.disk[first] {
		first++
	}
	length := len(i.disk)
	if dice.IntN(2) == 0 {
		length = first + dice.IntN(len(now)-first+1)
	}
	from := first + dice.IntN(len(now)-first+1)
	to := from + dice.IntN(len(now)-from+1)
	after := make([]byte, length)
	copy(after, i.disk)
	for k := first; k < min(length, len(now)); k++ {
		if k < from || k >= to {
			after[k] = now[k]
		} else if k >= len(i.disk) {
			after[k] = 0
		}
	}
	i.data = after
}

type memFile struct {
	m  *memfs
	i  *inode
	at int64
}

func (f *memFile) Stat() (stat, error) {
	if err := f.m.step(nothing); err != nil {
		return stat{}, err
	}
	return f.i.stat(), nil
}

func (f *memFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.m.step(nothing); err != nil {
		return 0, err
	}
	if at >= int64(len(f.i.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.i.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write appends: the sink opens its file with O_APPEND, and writes a compressed one from the start.
func (f *memFile) Write(p []byte) (n int, err error) {
	err = f.m.step(func() { n = f.m.dice.IntN(len(p) + 1); f.append(p[:n]) })
	if err != nil {
		return n, &fs.PathError{Op: "write", Path: "?", Err: err}
	}
	if free := f.m.room - f.m.used(); f.m.room > 0 && free < int64(len(p)) {
		f.append(p[:max(0, free)])
		return int(max(0, free)), &fs.PathError{Op: "write", Path: "?", Err: syscall.ENOSPC}
	}
	f.append(p)
	return len(p), nil
}

func (f *memFile) append(p []byte) {
	f.i.data = append(f.i.data, p...)
	for range p {
		f.i.dirty = append(f.i.dirty, true)
	}
}

func (f *memFile) Truncate(size int64) error {
	if err := f.m.step(nothing); err != nil {
		return err
	}
	f.i.data, f.i.dirty = f.i.data[:size:size], f.i.dirty[:size:size]
	return nil
}

func (f *memFile) Sync() error {
	i := f.i
	err := f.m.step(nothing)
	if f.m.failSyncs > 0 {
		f.m.failSyncs--
		err = syscall.EIO
	}
	if err != nil {
		clear(i.dirty)
		return err
	}
	if f.m.syncLies {
		return nil
	}
	disk := make([]byte, len(i.data))
	copy(disk, i.disk)
	for k := range i.data {
		if i.dirty[k] {
			disk[k] = i.data[k]
		}
	}
	i.disk = disk
	clear(i.dirty)
	return nil
}

func (f *memFile) Close() error {
	f.m.open = slices.DeleteFunc(f.m.open, func(g *memFile) bool { return g == f })
	return nil
}

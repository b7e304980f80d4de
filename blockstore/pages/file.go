package pages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

const (
	headerLen  = 16
	elementLen = 16
	metaLen    = 64
	maxKey     = 32768 // the library's

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf's element

	magic   = 0xED0CDAED
	version = 2

	// NoFreelist is the freelist of a file that was not closed cleanly: the free pages are those that nothing leads to.
	NoFreelist = 1<<64 - 1
)

// File is a database's file. It is for one goroutine.
type File struct {
	r     io.ReaderAt
	size  int64
	psize int64
}

// New makes a File of so many bytes. Its pages have the size that a good meta page says, else usual.
func New(r io.ReaderAt, size int64, usual int64) *File {
	f := &File{r: r, size: size, psize: usual}
	for _, m := range f.Metas() {
		if m.Err == nil {
			f.psize = int64(m.pageSize)
			break
		}
	}
	return f
}

// Pages is the number of pages that the file has room for, a broken one at the end included.
func (f *File) Pages() uint64 { return uint64((f.size + f.psize - 1) / f.psize) }

// Read reads bytes of a value that an Element names.
func (f *File) Read(off int64, n uint32) ([]byte, error) {
	if off < 0 || off+int64(n) > f.size {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, off); err != nil {
		return nil, err
	}
	return b, nil
}

// Meta is one of the two pages from which everything is found. The one with the higher Tx, if it is good, is in force.
type Meta struct {
	Page     uint64
	Root     uint64 // page of the top level
	Freelist uint64 // page of the free list, or NoFreelist
	High     uint64 // pages from here on are not used
	Tx       uint64
	Err      error // what is wrong with it; the fields are as they stand there

	pageSize uint32
}

// ErrVersion is the Err of a meta page that a later version of the library wrote, as far as can be told.
var ErrVersion = errors.New("its format is that of another version of the library")

// Metas reads the meta pages.
func (f *File) Metas() (out [2]Meta) {
	for i := range out {
		out[i] = f.meta(uint64(i))
	}
	return out
}

func (f *File) meta(page uint64) (m Meta) {
	m.Page = page
	b, err := f.Read(int64(page)*f.psize, headerLen+metaLen)
	if err != nil {
		m.Err = err
		return m
	}
	m.read(b[headerLen:])
	return m
}

func (m *Meta) read(b []byte) {
	le := binary.LittleEndian
	m.pageSize, m.Root, m.Freelist, m.High, m.Tx = le.Uint32(b[8:]), le.Uint64(b[16:]), le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:])
	good := checksum(b) == le.Uint64(b[56:])
	switch {
	case le.Uint32(b) != magic:
		m.Err = errors.New("it is no meta page")
	case good && le.Uint32(b[4:]) > version:
		m.Err = ErrVersion
	case le.Uint32(b[4:]) != version || !good:
		m.Err = errors.New("its checksum does not match")
	case m.pageSize < 512 || m.pageSize > 1<<16 || m.pageSize&(m.pageSize-1) != 0:
		m.Err = fmt.Errorf("it says that pages have %d bytes", m.pageSize)
	case m.Tx%2 != m.Page:
		m.Err = fmt.Errorf("transaction %d does not belong here", m.Tx)
	case m.Root < 2 || m.Root >= m.High:
		m.Err = fmt.Errorf("it leads to page %d of %d", m.Root, m.High)
	}
}

// checksum is that of the fields of a meta page.
func checksum(b []byte) uint64 {
	sum := fnv.New64a()
	sum.Write(b[:56])
	return sum.Sum64()
}

// InForce returns the good meta pages, the one in force first, and what is wrong with those that are not good, and with what the one in force has written. One that is
// Unfinished is neither.
func (f *File) InForce(boot [16]byte) (good []Meta, bad []Damage) {
	newest, how := f.newest(boot)
	if how == different {
		bad = append(bad, Damage{What: fmt.Sprintf("the pages that transaction %d has written are not as they were written", newest.Tx)})
	}
	for _, m := range f.Metas() {
		switch {
		case how == cutOff && m.Page == newest.Page:
		case m.Err != nil:
			bad = append(bad, Damage{What: fmt.Sprintf("meta page %d: %v", m.Page, m.Err)})
		case len(good) > 0 && m.Tx > good[0].Tx:
			good = append([]Meta{m}, good...)
		default:
			good = append(good, m)
		}
	}
	return good, bad
}

// Damage is something wrong with a page, or, if that is 0, with the whole.
type Damage struct {
	Page uint64
	What string
}

func (d Damage) String() string {
	if d.Page == 0 {
		return d.What
	}
	return fmt.Sprintf("page %d: %s", d.Page, d.What)
}

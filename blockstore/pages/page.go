package pages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Element is one key of a leaf page, with its value or the bucket that is behind it.
type Element struct {
	Page   uint64
	Key    []byte
	Off    int64 // of the value in the file
	Len    uint32
	Head   []byte // the value's beginning, as far as it is at hand
	Bucket bool
	Root   uint64 // of a bucket: its page; 0: it is within the value
}

// page is a page whose header and table of elements were checked.
type page struct {
	f        *File
	id       uint64
	at, end  int64 // in the file, the pages behind included
	leaf     bool
	count    int
	overflow uint64
	cut      bool   // the file ends within it
	b        []byte // its beginning
}

var (
	errNotTree = errors.New("it is no page of a tree")
	errTable   = errors.New("its table of elements is longer than the page")
)

// page reads the page with a number.
func (f *File) page(id uint64) (*page, error) {
	if id < 2 || id >= f.Pages() {
		return nil, fmt.Errorf("it is not in the file, which has %d pages", f.Pages())
	}
	at := int64(id) * f.psize
	return f.parse(id, at, f.size, nil)
}

// parse reads a page that begins at a place and ends at most at limit, into b if that is large enough.
func (f *File) parse(id uint64, at, limit int64, b []byte) (*page, error) {
	n := min(f.psize, limit-at)
	if int64(len(b)) < n {
		b = make([]byte, n)
	}
	if n < headerLen {
		return nil, io.ErrUnexpectedEOF
	}
	if _, err := f.r.ReadAt(b[:n], at); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	return f.check(id, at, limit, b[:n])
}

// check looks at a page whose beginning is b.
func (f *File) check(id uint64, at, limit int64, b []byte) (*page, error) {
	p := &page{f: f, id: id, at: at, b: b}
	le := binary.LittleEndian
	if has := le.Uint64(p.b); has != id {
		return nil, fmt.Errorf("it says that it is page %d", has)
	}
	flags := le.Uint16(p.b[8:])
	if flags != flagLeaf && flags != flagBranch {
		return nil, errNotTree
	}
	p.leaf, p.count, p.overflow = flags == flagLeaf, int(le.Uint16(p.b[10:])), uint64(le.Uint32(p.b[12:]))
	p.end = at + int64(p.overflow+1)*f.psize
	if id == 0 { // within a value
		p.end = limit
	}
	if p.end > limit { // what is there of it can be read
		p.end, p.cut = limit, true
	}
	if size := headerLen + p.count*elementLen; size > len(p.b) {
		if int64(size) > p.end-at {
			return nil, errTable
		}
		p.b = make([]byte, size)
		if _, err := f.r.ReadAt(p.b, at); err != nil {
			return nil, fmt.Errorf("it cannot be read: %w", err)
		}
	}
	return p, nil
}

// bytes returns n bytes of the page at pos, counted from its beginning.
func (p *page) bytes(pos int64, n uint32) ([]byte, error) {
	if pos < headerLen+int64(p.count)*elementLen || p.at+pos+int64(n) > p.end {
		return nil, errors.New("an element leads out of it")
	}
	if pos+int64(n) <= int64(len(p.b)) {
		return p.b[pos : pos+int64(n) : pos+int64(n)], nil
	}
	return p.f.Read(p.at+pos, n)
}

// child is an element of a branch page: the pages behind hold the keys from Key on.
func (p *page) child(i int) (key []byte, id uint64, err error) {
	le, at := binary.LittleEndian, headerLen+i*elementLen
	e := p.b[at:]
	key, err = p.key(at, le.Uint32(e), le.Uint32(e[4:]))
	return key, p.childID(i), err
}

func (p *page) childID(i int) uint64 {
	return binary.LittleEndian.Uint64(p.b[headerLen+i*elementLen+8:])
}

func (p *page) key(at int, pos, n uint32) ([]byte, error) {
	if n == 0 || n > maxKey {
		return nil, fmt.Errorf("a key has %d bytes", n)
	}
	return p.bytes(int64(at)+int64(pos), n)
}

// element is an element of a leaf page.
func (p *page) element(i int) (e Element, err error) {
	le, at := binary.LittleEndian, headerLen+i*elementLen
	t := p.b[at:]
	flags, pos, ksize, vsize := le.Uint32(t), le.Uint32(t[4:]), le.Uint32(t[8:]), le.Uint32(t[12:])
	if e.Key, err = p.key(at, pos, ksize); err != nil {
		return e, err
	}
	value := int64(at) + int64(pos) + int64(ksize)
	if p.at+value+int64(vsize) > p.end {
		return e, fmt.Errorf("the value of %q leads out of it", e.Key)
	}
	e.Page, e.Off, e.Len = p.id, p.at+value, vsize
	if value < int64(len(p.b)) {
		e.Head = p.b[value:min(value+int64(vsize), int64(len(p.b)))]
	}
	switch flags {
	case 0:
	case flagBucket:
		e.Bucket = true
		head, err := p.bytes(value, headerLen)
		if err != nil || vsize < headerLen {
			return e, fmt.Errorf("the bucket %q leads out of it", e.Key)
		}
		e.Root = le.Uint64(head)
	default:
		return e, fmt.Errorf("%q has unknown flags %x", e.Key, flags)
	}
	return e, nil
}

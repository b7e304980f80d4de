package pages

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Scan calls each with the elements of every page that looks like a leaf and is not in skip, whether anything leads to it or
// not: what the transactions before left behind, and what damage has cut off. What cannot be read is left out.
func (f *File) Scan(skip Set, each func(id uint64, elements []Element)) {
	for id := uint64(2); id < f.Pages(); id++ {
		if skip.Has(id) {
			continue
		}
		if elements := f.Leaf(id); len(elements) > 0 {
			each(id, elements)
		}
	}
}

// Leaf returns the elements of a page that looks like a leaf; none if it does not.
func (f *File) Leaf(id uint64) []Element {
	p, err := f.page(id)
	if err != nil || !p.leaf {
		return nil
	}
	return p.elements()
}

// Inside returns the elements of a bucket that is within the value of e.
func (f *File) Inside(e *Element) []Element {
	if !e.Bucket || e.Root != 0 {
		return nil
	}
	p, err := f.parse(0, e.Off+headerLen, e.Off+int64(e.Len), nil)
	if err != nil || !p.leaf {
		return nil
	}
	return p.elements()
}

func (p *page) elements() (out []Element) {
	for i := range p.count {
		if e, err := p.element(i); err == nil {
			out = append(out, e)
		}
	}
	return out
}

// CheckFreelist checks the list of free pages that a clean stop has written: none of them may be one that a tree uses, or be
// there twice. The library believes the list, and would write over such a page.
func (w *Walk) CheckFreelist(m Meta) {
	if m.Freelist == NoFreelist {
		return
	}
	bad := func(format string, args ...any) {
		w.Bad(Damage{m.Freelist, "free list: " + fmt.Sprintf(format, args...)})
	}
	if m.Freelist < 2 || m.Freelist >= min(m.High, w.f.Pages()) {
		bad("it is not in the file")
		return
	}
	at, le := int64(m.Freelist)*w.f.psize, binary.LittleEndian
	overflow, err := w.f.overflowOf(m.Freelist)
	if err != nil {
		bad("it is no free list")
		return
	}
	b, err := w.f.Read(at, headerLen+8)
	if err != nil {
		bad("%v", err)
		return
	}
	count, at := uint64(le.Uint16(b[10:])), at+headerLen
	if count == 0xFFFF {
		count, at = le.Uint64(b[16:]), at+8
	}
	for n := m.Freelist; n <= m.Freelist+min(overflow, w.high); n++ {
		if n >= w.high || !w.seen.add(n) {
			bad("page %d of it is not its own", n)
			return
		}
	}
	if at+int64(count)*8 > int64(m.Freelist+overflow+1)*w.f.psize || count > w.high {
		bad("it is longer than its pages")
		return
	}
	ids, err := w.f.Read(at, uint32(count*8))
	if err != nil {
		bad("%v", err)
		return
	}
	for ; len(ids) > 0; ids = ids[8:] {
		if id := le.Uint64(ids); id < 2 || id >= w.high || !w.free(id) {
			bad("page %d is in use, or there twice", id)
			return
		}
	}
}

// overflowOf is how many pages behind the first belong to a free list.
func (f *File) overflowOf(id uint64) (uint64, error) {
	b, err := f.Read(int64(id)*f.psize, headerLen)
	le := binary.LittleEndian
	if err == nil && (le.Uint64(b) != id || le.Uint16(b[8:]) != flagFreelist) {
		err = errors.New("it is no free list")
	}
	if err != nil {
		return 0, err
	}
	return uint64(le.Uint32(b[12:])), nil
}

// free notes a free page. One beyond the end of the file is possible: it was never written.
func (w *Walk) free(id uint64) bool {
	return id/64 >= uint64(len(w.seen)) || w.seen.add(id)
}

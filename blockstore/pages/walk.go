package pages

import (
	"bytes"
	"fmt"
)

// Walk goes through trees of one state of the file. A page that two of them lead to is damage.
type Walk struct {
	f    *File
	high uint64
	seen Set // pages that belong to something
	read Set // pages whose elements were given
	// Bad is told what is wrong. The walk goes on behind it.
	Bad func(Damage)
}

// Walk begins a walk. Pages from high on are not in use.
func (f *File) Walk(high uint64, bad func(Damage)) *Walk {
	n := max(min(high, f.Pages()), 2)
	return &Walk{f: f, high: high, seen: newSet(n), read: newSet(n), Bad: bad}
}

// Read are the pages whose elements the walk has given, without those behind that belong to them: a damaged page can call any number of
// others its own.
func (w *Walk) Read() Set { return w.read }

// Tree calls each for every key of the tree that begins at a page, in order.
func (w *Walk) Tree(root uint64, each func(*Element)) { w.tree(root, nil, nil, 0, each) }

// Bucket calls each for every key of a bucket that is behind an element.
func (w *Walk) Bucket(e *Element, each func(*Element)) {
	if e.Root != 0 {
		w.Tree(e.Root, each)
		return
	}
	p, err := w.f.parse(0, e.Off+headerLen, e.Off+int64(e.Len), nil)
	if err == nil && !p.leaf {
		err = errNotTree
	}
	if err != nil {
		w.Bad(Damage{e.Page, fmt.Sprintf("the bucket %q in it: %v", e.Key, err)})
		return
	}
	w.leaf(p, e.Page, nil, nil, each)
}

// deepest bounds the depth: a tree of 2^32 pages with two children each has 32 levels.
const deepest = 40

// tree walks the page id, whose keys are in [from, to).
func (w *Walk) tree(id uint64, from, to []byte, depth int, each func(*Element)) {
	p, err := w.f.page(id)
	if err == nil && depth > deepest {
		err = fmt.Errorf("the tree is deeper than %d pages", deepest)
	}
	if err != nil {
		w.Bad(Damage{id, err.Error()})
		return
	}
	last := id + p.overflow
	if p.cut {
		w.Bad(Damage{id, fmt.Sprintf("it and the %d pages behind it are not all in the file", p.overflow)})
		last = min(last, w.f.Pages()-1)
	}
	for n := id; n <= last; n++ {
		if n >= w.high || !w.seen.add(n) {
			w.Bad(Damage{id, fmt.Sprintf("page %d of it is not its own", n)})
			return
		}
	}
	w.read.add(id)
	if p.leaf {
		w.leaf(p, id, from, to, each)
		return
	}
	if p.count == 0 {
		w.Bad(Damage{id, "it is empty"})
	}
	for i := range p.count {
		key, child, err := p.child(i)
		if err != nil {
			w.Bad(Damage{id, err.Error()})
			key = from
		} else if i > 0 && !bytes.Equal(key, w.inside(id, key, from, to)) {
			key = from
		}
		end := to
		if i+1 < p.count {
			if next, _, err := p.child(i + 1); err == nil {
				end = next
			}
		}
		w.tree(child, key, end, depth+1, each)
	}
}

// inside reports a key that is not in [from, to), and returns it if it is.
func (w *Walk) inside(id uint64, key, from, to []byte) []byte {
	if from != nil && bytes.Compare(key, from) < 0 || to != nil && bytes.Compare(key, to) >= 0 {
		w.Bad(Damage{id, fmt.Sprintf("%q is out of order", key)})
		return nil
	}
	return key
}

func (w *Walk) leaf(p *page, id uint64, from, to []byte, each func(*Element)) {
	var last []byte
	for i := range p.count {
		e, err := p.element(i)
		if err != nil {
			w.Bad(Damage{id, err.Error()})
			continue
		}
		if i > 0 && bytes.Compare(e.Key, last) <= 0 {
			w.Bad(Damage{id, fmt.Sprintf("%q is out of order", e.Key)})
		} else {
			w.inside(id, e.Key, from, to)
		}
		last, e.Page = e.Key, id
		each(&e)
	}
}

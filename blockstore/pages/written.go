package pages

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Written returns the pages that the transaction of one meta page has written, in the order of their numbers, where before is the meta page of the one before it: the pages that its
// trees have and those of before have not. The library never writes over a page of the state before, so that the two trees share what did not change, and a page is new if
// everything above it is. The file is one that was written just now, and sound.
//
// It reads the new pages, and of the old ones those that the new ones replace; not what is shared.
func (f *File) Written(now, before Meta) ([]Run, error) {
	w := &written{f: f, high: now.High, buf: make([]byte, f.psize)}
	err := w.tree(before.Root, now.Root, 0)
	if err == nil && now.Freelist != NoFreelist && now.Freelist != before.Freelist {
		var n uint64
		n, err = f.overflowOf(now.Freelist)
		w.add(now.Freelist, n)
	}
	slices.SortFunc(w.runs, func(a, b Run) int { return cmp.Compare(a.ID, b.ID) })
	out := w.runs[:0]
	for _, r := range w.runs {
		if n := len(out); n > 0 && out[n-1].ID+out[n-1].N == r.ID {
			out[n-1].N += r.N
		} else {
			out = append(out, r)
		}
	}
	return out, err
}

type written struct {
	f     *File
	high  uint64
	runs  []Run
	reads uint64
	buf   []byte // the page that is looked at
}

func (w *written) add(id, overflow uint64) { w.runs = append(w.runs, Run{id, overflow + 1}) }

// behind is a bucket with pages of its own.
type behind struct {
	key  []byte
	root uint64
}

var errEndless = errors.New("its pages lead round in a circle")

// tree adds what is new in a tree whose first page is now, and was old; 0: there was none. All leaves of a tree are at the same height, and a page that both
// have is at the same height in both.
func (w *written) tree(old, now uint64, depth int) error {
	if old == now {
		return nil
	}
	if depth > deepest {
		return errEndless
	}
	was, err := w.height(old)
	if err != nil {
		return err
	}
	is, err := w.height(now)
	if err != nil {
		return err
	}
	olds, nows := []uint64{old}, []uint64{now}
	var before, after []behind
	for h := max(was, is); h >= 0; h-- {
		if h <= min(was, is) {
			olds, nows = apart(olds, nows)
		}
		if h <= was {
			if olds, before, err = w.level(olds, h == 0, false); err != nil {
				return err
			}
		}
		if h <= is {
			if nows, after, err = w.level(nows, h == 0, true); err != nil {
				return err
			}
		}
	}
	for _, b := range after { // both are in the order of their keys
		for len(before) > 0 && bytes.Compare(before[0].key, b.key) < 0 {
			before = before[1:]
		}
		was := uint64(0)
		if len(before) > 0 && bytes.Equal(before[0].key, b.key) {
			was = before[0].root
		}
		if err := w.tree(was, b.root, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// height is that of the tree below a page; -1 if there is none.
func (w *written) height(id uint64) (h int, err error) {
	if id == 0 {
		return -1, nil
	}
	for ; h <= deepest; h++ {
		p, err := w.page(id)
		if err != nil || p.leaf {
			return h, err
		}
		if p.count == 0 {
			return 0, fmt.Errorf("page %d is empty", id)
		}
		if _, id, err = p.child(0); err != nil {
			return 0, err
		}
	}
	return 0, errEndless
}

// level goes through pages of one height, and returns the pages below them, or if they are leaves the buckets behind them.
func (w *written) level(ids []uint64, leaves, add bool) (below []uint64, buckets []behind, err error) {
	for _, id := range ids {
		p, err := w.page(id)
		if err == nil && p.leaf != leaves {
			err = fmt.Errorf("page %d is at another height than its neighbours", id)
		}
		if err != nil {
			return nil, nil, err
		}
		if add {
			w.add(p.id, p.overflow)
		}
		for i := range p.count {
			if !leaves {
				_, child, err := p.child(i)
				if err != nil {
					return nil, nil, err
				}
				below = append(below, child)
				continue
			}
			e, err := p.element(i)
			if err != nil {
				return nil, nil, err
			}
			if e.Bucket && e.Root != 0 {
				buckets = append(buckets, behind{bytes.Clone(e.Key), e.Root})
			}
		}
	}
	return below, buckets, nil
}

// page reads one. It is good until the next.
func (w *written) page(id uint64) (*page, error) {
	if w.reads++; w.reads > 4*w.high+16 {
		return nil, errEndless
	}
	if id < 2 || id >= w.f.Pages() {
		return nil, fmt.Errorf("page %d is not in the file", id)
	}
	return w.f.parse(id, int64(id)*w.f.psize, w.f.size, w.buf)
}

// apart leaves out what is in both.
func apart(a, b []uint64) (x, y []uint64) {
	return without(a, b), without(b, a)
}

// without returns what is in a and not in b, in a's order.
func without(a, b []uint64) (out []uint64) {
	b = slices.Clone(b)
	slices.Sort(b)
	for _, id := range a {
		if _, there := slices.BinarySearch(b, id); !there {
			out = append(out, id)
		}
	}
	return out
}

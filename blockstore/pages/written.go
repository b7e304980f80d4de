package pages

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Tracker finds out what transactions write, one after the other. It keeps the pages that the last one wrote, as far as they are few: the next one replaces most of them. It is for one
// goroutine.
type Tracker struct {
	f           *File
	high        uint64
	reads       uint64
	old, now    map[uint64][]byte // the first of each page that the last transaction, and this one, wrote
	spare       [][]byte
	page1, rest []byte // what is read of others
	runs        []Run
	gone        []behind    // buckets that the old top level has and the new one has not
	ids         [2][]uint64 // for apart
	keys        []byte
}

// NewTracker makes one for a file whose usual page size is given, which is read through r.
func NewTracker(r io.ReaderAt, usual int64) *Tracker {
	return &Tracker{f: &File{r: r, psize: usual}, old: map[uint64][]byte{}, now: map[uint64][]byte{}, page1: make([]byte, usual), rest: make([]byte, 8*usual)}
}

// Written returns the pages that the transaction of one meta page has written, in the order of their numbers, and the CRC32C of them. before is the meta page of the transaction
// before it, which must be the one that was asked for last, or else the first that is asked for. The runs are the tracker's, and good until the next call.
//
// What a transaction has written are the pages that its trees have and those of the one before have not. The library never writes over a page of the state before, so that the two share
// what did not change, and a page is new if everything above it is. Only buckets of the top level may have been moved into another bucket. The file, of so many bytes, is one that was written just now, and
// sound. Of the old pages those are read that the new ones replace; not what is shared.
func (t *Tracker) Written(size int64, now, before Meta) (runs []Run, sum uint32, err error) {
	t.begin(size, now.High)
	if err = t.tree(before.Root, now.Root, 0); err == nil && now.Freelist != NoFreelist && now.Freelist != before.Freelist {
		var n uint64
		n, err = t.f.overflowOf(now.Freelist)
		t.add(now.Freelist, n)
	}
	if err == nil {
		t.merge()
		sum, err = t.sum()
	}
	return t.runs, sum, err
}

// Meta reads the meta page that a transaction has written, of a file of so many bytes.
func (t *Tracker) Meta(size int64, tx uint64) Meta {
	t.f.size = size
	return t.f.meta(tx % 2)
}

// keptPages is how many pages are kept from one transaction to the next.
const keptPages = 32

func (t *Tracker) begin(size int64, high uint64) {
	t.f.size, t.high, t.reads, t.runs, t.keys = size, high, 0, t.runs[:0], t.keys[:0]
	for _, b := range t.old {
		t.spare = append(t.spare, b)
	}
	clear(t.old)
	t.old, t.now = t.now, t.old
}

func (t *Tracker) add(id, overflow uint64) { t.runs = append(t.runs, Run{id, overflow + 1}) }

// merge sorts the runs, and makes one of those that touch.
func (t *Tracker) merge() {
	slices.SortFunc(t.runs, func(a, b Run) int { return cmp.Compare(a.ID, b.ID) })
	out := t.runs[:0]
	for _, r := range t.runs {
		if n := len(out); n > 0 && out[n-1].ID+out[n-1].N == r.ID {
			out[n-1].N += r.N
		} else {
			out = append(out, r)
		}
	}
	t.runs = out
}

func (t *Tracker) sum() (sum uint32, err error) {
	for _, r := range t.runs {
		for id, end := r.ID, r.ID+r.N; id < end; {
			b, at := t.now[id], int64(id)*t.f.psize
			if b == nil {
				b = t.rest[:min(int64(len(t.rest)), int64(end-id)*t.f.psize)]
				if _, err := t.f.r.ReadAt(b, at); err != nil {
					return 0, err
				}
			}
			sum = crc32.Update(sum, castagnoli, b)
			id += uint64(len(b)) / uint64(t.f.psize)
		}
	}
	return sum, nil
}

// behind is a bucket with pages of its own.
type behind struct {
	key  []byte
	root uint64
}

var errEndless = errors.New("its pages lead round in a circle")

// tree adds what is new in a tree whose first page is now, and was old; 0: there was none. All leaves of a tree are at the same height, and a page that both
// have is at the same height in both.
func (t *Tracker) tree(old, now uint64, depth int) error {
	if old == now {
		return nil
	}
	if depth > deepest {
		return errEndless
	}
	was, err := t.height(old, false)
	if err != nil {
		return err
	}
	is, err := t.height(now, true)
	if err != nil {
		return err
	}
	olds, nows := []uint64{old}, []uint64{now}
	var before, after []behind
	for h := max(was, is); h >= 0; h-- {
		if h <= min(was, is) {
			olds, nows = t.apart(olds, nows)
		}
		if h <= was {
			if olds, before, err = t.level(olds, h == 0, false); err != nil {
				return err
			}
		}
		if h <= is {
			if nows, after, err = t.level(nows, h == 0, true); err != nil {
				return err
			}
		}
	}
	if depth == 0 {
		t.gone = slices.DeleteFunc(append(t.gone[:0], before...), func(b behind) bool { return rootOf(b.key, after) != 0 })
	}
	for _, b := range after {
		was := rootOf(b.key, before)
		if was == 0 && depth > 0 { // it may have been moved there, with its pages
			was = rootOf(b.key, t.gone)
		}
		if err := t.tree(was, b.root, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// rootOf finds a bucket among those in the order of their keys; 0 if it is not there.
func rootOf(key []byte, among []behind) uint64 {
	i, ok := slices.BinarySearchFunc(among, key, func(b behind, key []byte) int { return bytes.Compare(b.key, key) })
	if !ok {
		return 0
	}
	return among[i].root
}

// height is that of the tree below a page; -1 if there is none.
func (t *Tracker) height(id uint64, now bool) (h int, err error) {
	if id == 0 {
		return -1, nil
	}
	for ; h <= deepest; h++ {
		p, err := t.page(id, now)
		if err != nil || p.leaf {
			return h, err
		}
		if p.count == 0 {
			return 0, fmt.Errorf("page %d is empty", id)
		}
		id = p.childID(0)
	}
	return 0, errEndless
}

// level goes through pages of one height, and returns the pages below them, or if they are leaves the buckets behind them. Those of now are new.
func (t *Tracker) level(ids []uint64, leaves, now bool) (below []uint64, buckets []behind, err error) {
	for _, id := range ids {
		p, err := t.page(id, now)
		if err == nil && p.leaf != leaves {
			err = fmt.Errorf("page %d is at another height than its neighbours", id)
		}
		if err != nil {
			return nil, nil, err
		}
		if now {
			t.add(p.id, p.overflow)
		}
		if !leaves {
			below = slices.Grow(below, p.count)
		}
		for i := range p.count {
			if !leaves {
				below = append(below, p.childID(i))
				continue
			}
			e, err := p.element(i)
			if err != nil {
				return nil, nil, err
			}
			if e.Bucket && e.Root != 0 {
				from := len(t.keys)
				t.keys = append(t.keys, e.Key...)
				buckets = append(buckets, behind{t.keys[from:len(t.keys):len(t.keys)], e.Root})
			}
		}
	}
	return below, buckets, nil
}

// page reads one, of the new state or of the old one. It is good until the next.
func (t *Tracker) page(id uint64, now bool) (*page, error) {
	if t.reads++; t.reads > 4*t.high+16 {
		return nil, errEndless
	}
	if id < 2 || id >= t.f.Pages() {
		return nil, fmt.Errorf("page %d is not in the file", id)
	}
	at, b := int64(id)*t.f.psize, t.old[id]
	if now {
		b = t.now[id]
	}
	if b != nil {
		return t.f.check(id, at, t.f.size, b)
	}
	if b = t.page1; now && len(t.now) < keptPages {
		if n := len(t.spare); n > 0 {
			b, t.spare = t.spare[n-1], t.spare[:n-1]
		} else {
			b = make([]byte, t.f.psize)
		}
		t.now[id] = b
	}
	return t.f.parse(id, at, t.f.size, b)
}

// apart leaves out what is in both.
func (t *Tracker) apart(a, b []uint64) (x, y []uint64) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] { // both are in the order of their keys, and most of what is in both is before what is not
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	s := &t.ids
	s[0], s[1] = append(s[0][:0], a...), append(s[1][:0], b...)
	slices.Sort(s[0])
	slices.Sort(s[1])
	return without(a, s[1]), without(b, s[0])
}

// without leaves out of ids what is in a sorted list.
func without(ids, sorted []uint64) []uint64 {
	return slices.DeleteFunc(ids, func(id uint64) bool {
		_, there := slices.BinarySearch(sorted, id)
		return there
	})
}

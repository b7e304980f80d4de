package blockstore

import (
	"cmp"
	"encoding/binary"
	"slices"

	"edged"
	"edged/blockstore/pages"
)

// scan looks at the pages that no tree leads to. Three kinds are of use: those of log entries; leaves of the top level, from
// which the small buckets of an earlier state are found; and leaves of the bucket of cursors.
func (a *Archive) scan(seen pages.Set) {
	var tops, rest []topLeaf
	a.p.Scan(seen, func(id uint64, elements []pages.Element) {
		t := topLeaf{id: id}
		for i := range elements {
			e := &elements[i]
			log, seq, isEntry := entryKey(e.Key)
			switch {
			case e.Bucket && isEntry:
				t.newest = max(t.newest, seq)
				if log != "" {
					t.results = max(t.results, seq)
				}
				for _, v := range a.p.Inside(e) {
					a.loose(log, &v)
				}
			case e.Bucket:
				t.top = t.top || string(e.Key) != string(apartKey)
			case string(e.Key) == string(valueKey):
				a.loose("", e)
			default:
				t.other = true
			}
		}
		if t.top {
			tops = append(tops, t)
		} else if t.other {
			rest = append(rest, t)
		}
	})
	// The end of the block log shares a page with the small buckets: the leaf with the highest number is the newest.
	// Among those of one, the leaf with the highest result is: results and the cursors that know of them are one commit.
	slices.SortStableFunc(tops, func(x, y topLeaf) int {
		return cmp.Or(cmp.Compare(y.newest, x.newest), cmp.Compare(y.results, x.results))
	})
	for i, t := range tops {
		if i == 32 {
			break
		}
		s := &survey{p: a.p, rank: fromScan + i, bucket: a.bucket}
		s.begin(a.p.Pages())
		elements := a.p.Leaf(t.id)
		for k := range elements {
			if e := &elements[k]; e.Bucket && (e.Key[0] == spacePrefix || e.Key[0] == ownPrefix) && string(e.Key) != string(shelfBucket) {
				s.top(e)
			}
		}
	}
	for _, t := range rest {
		for _, e := range a.p.Leaf(t.id) {
			if c, err := a.cursor(value{string(e.Key), place{e.Off, e.Len}}); err == nil && !e.Bucket {
				a.better(c, 255)
			}
		}
	}
}

type topLeaf struct {
	id         uint64
	newest     uint64 // number of a log entry
	results    uint64 // number of an entry of a result log
	top, other bool
}

// loose takes a value that may be a log entry: its header and its CRC must agree.
func (a *Archive) loose(log string, e *pages.Element) {
	if a.Sound() { // only cursors are looked for
		return
	}
	b, err := a.p.Read(e.Off, e.Len)
	if err != nil {
		return
	}
	h, ok := readHeader(b)
	if !ok || e.Bucket {
		return
	}
	body, err := unseal(b)
	if err != nil {
		return
	}
	switch h.kind {
	case 'B', 'T':
		log = ""
	case 'R':
		if log == "" {
			log = resultLog(body[headerLen:])
		}
	default:
		return
	}
	if h.kind != 'R' || log != "" {
		a.entry(log, h.seq, place{e.Off, e.Len}, fromScan)
	}
}

// resultLog finds out whose results a result entry holds: its rows say their stream, and dead letters are known by their columns.
func resultLog(b []byte) string {
	r := reader{b: b}
	r.uvarint()
	r.uvarint()
	r.byte()
	stream, n := r.str(), r.count()
	var names [3]string
	for i := range min(n, len(names)) {
		names[i] = r.str()
	}
	switch {
	case r.err != nil:
		return ""
	case names == [3]string{"time", "sink", "reason"}:
		return edged.DeadLetters
	}
	return stream
}

// read returns the value of an entry: of several the first that is whole, those of trees before those that lie about, and of
// these the one that was made last, since a number that was given in a transaction that did not come to its end is given again.
// If none is whole, it returns the first with its error.
func (a *Archive) read(log string, of []slot) (v []byte, err error) {
	var best []byte
	for _, s := range of {
		b, rerr := a.p.Read(s.off, s.n)
		if rerr == nil {
			rerr = entryIs(b, log, s.seq)
		}
		switch {
		case rerr != nil:
			if v == nil {
				v, err = b, rerr
			}
		case best == nil || s.rank >= fromScan && later(b, best):
			best = b
			if s.rank < fromScan {
				return best, nil
			}
		}
	}
	if best != nil {
		return best, nil
	}
	return v, err
}

func entryIs(b []byte, log string, seq uint64) error {
	h, ok := readHeader(b)
	if !ok || h.seq != seq || (h.kind == 'R') != (log != "") {
		return errChecksum
	}
	_, err := unseal(b)
	return err
}

func later(b, than []byte) bool {
	x, _ := readHeader(b)
	y, _ := readHeader(than)
	if c := x.at.Compare(y.at); c != 0 || x.kind != 'B' || y.kind != 'B' {
		return c > 0
	}
	return binary.LittleEndian.Uint64(b[headerLen+16:]) > binary.LittleEndian.Uint64(than[headerLen+16:])
}

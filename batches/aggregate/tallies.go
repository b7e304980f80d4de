package aggregate

import (
	"cmp"
	"encoding/binary"
	"slices"

	"edged"
	"edged/internal/rowcodec"
)

// The bounds of tallies: with both reached, a group takes about 45 KiB.
const (
	maxTallies    = 256
	maxTallyBytes = 16 << 10 // of the texts that are counted
)

// tallies counts how often values come, in bounded memory (Space-Saving: Metwally, Agrawal, El Abbadi, ICDT 2005; joined as Agarwal and others,
// PODS 2012). The counts are exact while there are at most maxTallies different values with maxTallyBytes of texts. Past that a new value takes
// the place of the rarest one and is counted from where that one was: no count is too low, none is too high by more than the 256th part of the
// rows, and what comes more often than that is there. With texts of more than 64 bytes, of which fewer have room, it is the part for which
// there is room. Values that are longer than maxTallyBytes are left out.
//
// What it holds depends on the rows and their order alone, not on when it was saved and loaded.
type tallies struct {
	at    map[edged.Value]int // where a value is in all
	all   []tally
	bytes int
	floor uint64 // no value that is not here came more often, and none that is here is counted less
	hand  int    // all before it came more often than the floor; it is not saved, since 0 is as right
}

type tally struct {
	v edged.Value
	n uint64
}

func (t *tallies) Add(v edged.Value, _ int64) {
	if i, ok := t.at[v]; ok {
		t.all[i].n++
		return
	}
	size := len(v.Str())
	if v.Missing() || size > maxTallyBytes {
		return
	}
	for len(t.all) >= maxTallies || t.bytes+size > maxTallyBytes {
		t.evict()
	}
	t.put(tally{own(v), t.floor + 1})
}

func (t *tallies) put(e tally) {
	if t.at == nil {
		t.at = map[edged.Value]int{}
	}
	t.at[e.v] = len(t.all)
	t.all = append(t.all, e)
	t.bytes += len(e.v.Str())
}

// evict takes the rarest value out, of equally rare ones the first.
func (t *tallies) evict() {
	rarest := t.rarest()
	t.hand = rarest
	e, end := t.all[rarest], len(t.all)-1
	t.floor = max(t.floor, e.n)
	t.bytes -= len(e.v.Str())
	t.all[rarest] = t.all[end]
	t.at[t.all[end].v] = rarest
	delete(t.at, e.v)
	t.all[end] = tally{}
	t.all = t.all[:end]
}

// rarest is where the first of the rarest values is. Nothing is rarer than the floor, and the hand spares most of the search for that.
func (t *tallies) rarest() int {
	for i := t.hand; i < len(t.all); i++ {
		if t.all[i].n == t.floor {
			return i
		}
	}
	rarest := 0
	for i := range t.all {
		if t.all[i].n < t.all[rarest].n {
			rarest = i
		}
	}
	return rarest
}

// merge joins the tallies of other rows: a value that one side does not have came there at most as often as its floor says.
func (t *tallies) merge(o *tallies) {
	for i := range t.all {
		if j, ok := o.at[t.all[i].v]; ok {
			t.all[i].n += o.all[j].n
		} else {
			t.all[i].n += o.floor
		}
	}
	for _, e := range o.all {
		if _, ok := t.at[e.v]; !ok {
			t.put(tally{e.v, e.n + t.floor})
		}
	}
	t.floor += o.floor
	if len(t.all) > maxTallies || t.bytes > maxTallyBytes {
		t.shrink()
	}
}

// shrink keeps the most frequent values that have room.
func (t *tallies) shrink() {
	ranked := t.ranked()
	*t = tallies{floor: t.floor}
	for i, e := range ranked {
		if i == maxTallies || t.bytes+len(e.v.Str()) > maxTallyBytes {
			t.floor = max(t.floor, e.n)
			return
		}
		t.put(e)
	}
}

// ranked are the values, the most frequent ones first, and of equally frequent ones the smaller first.
func (t *tallies) ranked() []tally {
	return slices.SortedFunc(slices.Values(t.all), func(a, b tally) int {
		return cmp.Or(cmp.Compare(b.n, a.n), a.v.Compare(b.v))
	})
}

func (t *tallies) AppendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, t.floor)
	b = binary.AppendUvarint(b, uint64(len(t.all)))
	for _, e := range t.all {
		b = rowcodec.AppendValue(b, e.v)
		b = binary.AppendUvarint(b, e.n)
	}
	return b
}

func (t *tallies) UnmarshalBinary(b []byte) error {
	*t = tallies{}
	floor, b := takeUvarint(b)
	size, b := takeUvarint(b)
	if b == nil || size > maxTallies || size > uint64(len(b)) {
		return errState
	}
	for range size {
		r := rowcodec.Reader{B: b}
		e := tally{v: r.Value()}
		if e.n, b = takeUvarint(r.B); b == nil || r.Err != nil || e.v.Missing() || e.n < max(1, floor) {
			return errState
		}
		if _, twice := t.at[e.v]; twice || t.bytes+len(e.v.Str()) > maxTallyBytes {
			return errState
		}
		t.put(e)
	}
	if t.floor = floor; len(b) > 0 {
		return errState
	}
	return nil
}

// takeUvarint takes a number off the front of b; rest is nil if there is none.
func takeUvarint(b []byte) (v uint64, rest []byte) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil
	}
	return v, b[n:]
}

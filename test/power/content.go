package power

import "math/rand/v2"

const (
	sectorSize = 512
	pageSize   = 4096
)

// content is a file in the page cache, or on disk.
type content []byte

func (c content) with(op *dataOp) content {
	if size := op.after(int64(len(c))); size < int64(len(c)) {
		c = c[:size:size]
	} else if size > int64(len(c)) {
		c = append(c, make([]byte, size-int64(len(c)))...)
	}
	copy(c[min(op.off, int64(len(c))):], op.data)
	return c
}

// after is what the file holds when the power has failed.
func (f *file) after(fate Fate, dice *rand.Rand) []byte {
	if fate.Data == DataKept {
		fate.Lies = nil
	}
	durable := append(content(nil), f.base...)
	var volatile []*dataOp
	synced := f.synced(fate)
	for i, op := range f.ops {
		switch {
		case op.begin >= fate.Cut || !op.ok():
		case i < synced || fate.Data == DataKept && op.end < fate.Cut:
			durable = durable.with(op)
		default:
			volatile = append(volatile, op)
		}
	}
	if len(volatile) == 0 {
		return durable
	}
	switch fate.Data {
	case Sectors:
		return scatter(durable, volatile, sectorSize, false, dice)
	case Pages:
		return scatter(durable, volatile, pageSize, false, dice)
	case Ordered:
		return scatter(durable, volatile, pageSize, true, dice)
	case Torn:
		return tear(durable, volatile, dice)
	}
	return durable
}

// synced is the number of operations that a sync has made durable: those that had ended when it began.
func (f *file) synced(fate Fate) (n int) {
	if fate.Lies != nil && fate.Lies(f.first) {
		return 0
	}
	for _, s := range f.syncs {
		if !s.ok() || s.end >= fate.Cut {
			continue
		}
		for n < len(f.ops) && f.ops[n].end < s.begin {
			n++
		}
	}
	return n
}

// tear does the operations in order up to one of them, and of that a beginning of whole sectors.
func tear(c content, ops []*dataOp, dice *rand.Rand) content {
	k := dice.IntN(len(ops))
	for _, op := range ops[:k] {
		c = c.with(op)
	}
	last := *ops[k]
	if last.data == nil {
		return c
	}
	end := (last.off + dice.Int64N(int64(len(last.data))+1)) / sectorSize * sectorSize
	if end <= last.off {
		return c
	}
	last.data = last.data[:end-last.off]
	return c.with(&last)
}

// scatter takes each piece of a file from one of its versions, and its size from another. With ordered no byte before the size that
// was appended is missing.
func scatter(c content, ops []*dataOp, piece int64, ordered bool, dice *rand.Rand) content {
	sizes := []int64{int64(len(c))}
	old := sizes[0] // what is below it was there before: the file was never shorter
	for _, op := range ops {
		sizes = append(sizes, op.after(sizes[len(sizes)-1]))
		old = min(old, sizes[len(sizes)-1])
	}
	at := dice.IntN(len(sizes))
	size := sizes[at]
	if at > 0 && sizes[at-1] < size && dice.IntN(2) == 0 { // an append is there in part
		size = min(size, (sizes[at-1]+dice.Int64N(size-sizes[at-1]))/pageSize*pageSize+pageSize)
	}
	type span struct{ from, to int64 }
	parts := make([][]span, len(sizes)) // by version
	for from := int64(0); from < size; from += piece {
		to := min(from+piece, size)
		some := dice.IntN(len(parts))
		if !ordered || to <= old {
			parts[some] = append(parts[some], span{from, to})
			continue
		}
		if from < old {
			parts[some] = append(parts[some], span{from, old})
		}
		parts[at] = append(parts[at], span{max(from, old), to})
	}
	out := make(content, size)
	for version := range parts {
		for _, p := range parts[version] {
			if have := int64(len(c)); p.from < have {
				copy(out[p.from:p.to], c[p.from:min(p.to, have)])
			}
		}
		if version < len(ops) {
			c = c.with(ops[version])
		}
	}
	return out
}

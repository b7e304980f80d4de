package batches

import (
	"cmp"
	"slices"
	"strings"

	"edged"
)

// What a join of two streams holds at most. Rows past that are dropped and counted.
const (
	maxHeld      = 100_000
	maxHeldBytes = 32 << 20
	maxHeldOfKey = 1000    // rows of a key on each side
	maxPairs     = 100_000 // products of the two over all keys: as many rows can leave at once, when a receiver comes back that was silent
)

// held are the rows of both sides of a join of two streams: from their arrival until the watermark has passed their time by as much as a partner
// may be away. It is used by one goroutine.
//
// A row is complete when the watermark has passed its time: all rows of both sides that are not later have come, or are late. Then it leaves with each
// partner that is not later than itself. So every pair leaves once, at the time of its later row, and nothing depends on which row came first.
type held struct {
	p     *Plan
	j     *join
	side  *otherSide
	byKey map[string]*partners
	order []*heldRow // see heldRow.compare
	done  int        // of order, rows that are complete
	n     uint64     // of the latest row
	bytes int64
	pairs int      // see maxPairs
	gone  []string // of the last checkpoint
	sides []byte   // of a block's topics: 0 is not known, 1 this side's or nobody's, 2 the other's
}

// partners are the rows of one key, of this side and of the other, each by time and number.
type partners [2][]*heldRow

const (
	ours   = 0
	theirs = 1
)

type heldRow struct {
	side  int
	epoch uint32 // 0 on event time
	at    int64
	n     uint64 // in the order of the log
	key   string // "": it is equal to nothing
	met   bool   // it has left with a partner
	size  int64

	saved, dirty bool // the last checkpoint has it, and it has changed since

	arrived uint32 // the epoch
	trusted bool
	cells   []edged.Value // of this side, by held.keeps; of the other, its fields

	topic  string // this side only
	qos    byte
	retain bool
	shown  edged.Value
}

func newHeld(p *Plan) *held {
	if p.join == nil || p.join.table() {
		return nil
	}
	return &held{p: p, j: p.join, side: newOtherSide(p.join), byKey: map[string]*partners{}}
}

func (h *heldRow) when() edged.Instant { return edged.Instant{Epoch: h.epoch, Wall: h.at} }

// compare is the order in which rows leave. On a tie this side's is the earlier one.
func (h *heldRow) compare(o *heldRow) int {
	return cmp.Or(h.when().Compare(o.when()), strings.Compare(h.key, o.key), cmp.Compare(h.side, o.side), cmp.Compare(h.n, o.n))
}

// earlier is the order of the rows of a key and side.
func (h *heldRow) earlier(o *heldRow) int {
	return cmp.Or(h.when().Compare(o.when()), cmp.Compare(h.n, o.n))
}

// room reports whether a further row of a key can be held.
func (s *held) room(side int, key string, size int64) bool {
	if len(s.order) >= maxHeld || s.bytes+size > maxHeldBytes {
		return false
	}
	if of := s.byKey[key]; of != nil {
		return len(of[side]) < maxHeldOfKey && s.pairs+len(of[1-side]) <= maxPairs
	}
	return key == "" || len(s.byKey) < s.p.groups
}

// add holds a row, which is not before the watermark.
func (s *held) add(h *heldRow) {
	s.put(h)
	h.dirty = true
}

func (s *held) put(h *heldRow) {
	at, _ := slices.BinarySearchFunc(s.order, h, (*heldRow).compare)
	s.order = slices.Insert(s.order, at, h)
	s.bytes += h.size
	if h.key == "" {
		return
	}
	of := s.byKey[h.key]
	if of == nil {
		of = &partners{}
		s.byKey[h.key] = of
	}
	s.pairs += len(of[1-h.side])
	at, _ = slices.BinarySearchFunc(of[h.side], h, (*heldRow).earlier)
	of[h.side] = slices.Insert(of[h.side], at, h)
}

// forget takes the first row out.
func (s *held) forget() {
	h := s.order[0]
	s.order[0] = nil
	s.order = s.order[1:]
	s.done--
	s.bytes -= h.size
	if h.saved {
		s.gone = append(s.gone, h.id())
	}
	of := s.byKey[h.key]
	if of == nil {
		return
	}
	if rest := of[h.side]; len(rest) > 0 && rest[0] == h {
		rest[0] = nil
		of[h.side] = rest[1:]
		s.pairs -= len(of[1-h.side])
	}
	if len(of[ours])+len(of[theirs]) == 0 {
		delete(s.byKey, h.key)
	}
}

// before are the partners of a row that is complete which are not later than it, in their order.
func (s *held) before(x *heldRow) []*heldRow {
	of := s.byKey[x.key]
	if of == nil {
		return nil
	}
	rows := of[1-x.side]
	first := edged.Instant{Epoch: x.epoch, Wall: x.at - s.j.within}
	from, _ := slices.BinarySearchFunc(rows, first, func(h *heldRow, at edged.Instant) int { return h.when().Compare(at) })
	to := from
	for to < len(rows) && rows[to].compare(x) < 0 {
		to++
	}
	return rows[from:to]
}

// due is when a row is forgotten: as soon as the watermark has passed it.
func (s *held) due(h *heldRow) edged.Instant {
	return edged.Instant{Epoch: h.epoch, Wall: h.at + s.j.within}
}

// awaits is the time for which rows wait that may leave; false if none does.
func (s *held) awaits() (at edged.Instant, ok bool) {
	if s.done < len(s.order) {
		at, ok = s.order[s.done].when(), true
	}
	if s.j.outer {
		for _, h := range s.order {
			if h.side == ours && !h.met {
				if due := s.due(h); !ok || due.Before(at) {
					at, ok = due, true
				}
				break
			}
		}
	}
	at.Wall++ // it must have passed
	return at, ok
}

func (s *held) empty() bool { return s == nil || len(s.order)+len(s.gone) == 0 }

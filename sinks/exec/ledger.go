package exec

import (
	"hash/maphash"

	"edged"
)

// ledger holds the answers to the rows of the last delivery that was given. The rows of one that failed come again, whole or
// split down to single rows; then those that the program has answered are not given to it again. It lives as long as the
// sink, over the lives of the program: what was answered with ok is durable.
//
// A row is known again by its position and its bytes, which name its stream.
type ledger struct {
	seed maphash.Seed
	rows []entry
}

type entry struct {
	at   edged.Pos
	sum  uint64
	said verdict // never later: such a row is asked for again
	text string  // of poison
}

// of returns the entries of rows, whose encoded lines are given with their ends. They are valid until the next call.
func (l *ledger) of(rows *edged.Rows, lines []byte, ends []int) []entry {
	n, from := rows.Len(), 0
	fresh := make([]entry, n)
	for i := range fresh {
		fresh[i] = entry{at: rows.At[i], sum: maphash.Bytes(l.seed, lines[from:ends[i]])}
		from = ends[i]
	}
	for i := 0; i+n <= len(l.rows); i++ {
		if same(l.rows[i:i+n], fresh) {
			return l.rows[i : i+n]
		}
	}
	l.rows = fresh
	return fresh
}

func same(a, b []entry) bool {
	for i := range a {
		if a[i].at != b[i].at || a[i].sum != b[i].sum {
			return false
		}
	}
	return true
}

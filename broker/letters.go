package broker

import "slices"

// letters is a queue. The zero value is empty, and an empty one holds no memory.
type letters struct {
	items []letter
	head  int
}

func (q *letters) len() int { return len(q.items) - q.head }

func (q *letters) push(l letter) {
	if q.head > 32 && q.head > len(q.items)/2 { // use the room in front before more is made
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, l)
}

// each calls f for every letter, which it may change, in order.
func (q *letters) each(f func(l *letter)) {
	for i := q.head; i < len(q.items); i++ {
		f(&q.items[i])
	}
}

// first is the next to be popped; there must be one.
func (q *letters) first() *letter { return &q.items[q.head] }

func (q *letters) pop() (l letter, ok bool) {
	if q.len() == 0 {
		return l, false
	}
	l = q.items[q.head]
	q.items[q.head] = letter{}
	if q.head++; q.head == len(q.items) {
		*q = letters{}
	}
	return l, true
}

// delete takes out what del says, and keeps the order of the rest.
func (q *letters) delete(del func(l *letter) bool) {
	q.items = slices.DeleteFunc(slices.Delete(q.items, 0, q.head), func(l letter) bool { return del(&l) })
	q.head = 0
}

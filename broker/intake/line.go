package intake

import "edged"

// entry is one publish in its session's line.
type entry struct {
	link    *Link    // the connection that waits for the acknowledgement; nil if none does
	after   Delivery // nil if there is nobody to deliver it to
	heir    uint64   // token of the repeat that waits for this one; 0 if none
	bytes   int      // that after keeps, until it was delivered
	holds   int      // that the retained change keeps, until the entry leaves
	waits   int      // what it still waits for: receivers, the retained change, the call of Take itself (Publish.waits)
	id      uint16   // 0 if no acknowledgement is wanted
	qos     byte
	verdict verdict
	code    byte      // of a refusal
	kept    bool      // QoS 2, and a receiver stores its identity
	failed  bool      // a receiver could not store it, so that nobody knows what is stored
	stopped bool      // because that receiver was stopping
	part    *part     // what is stored if it is not acknowledged; nil: nothing
	at      edged.Pos // of the copy that MQTT sessions read
}

// verdict is what has been learned about an entry; the first that is not accepted stays.
type verdict uint8

const (
	accepted  verdict = iota
	refused           // MQTT 5 is told with a reason code
	severed           // it can never be acknowledged: the connection ends
	abandoned         // not taken, and nobody is told: the caller of Take has the error
)

// line is a queue of entries in a ring. The token of an entry is the number of entries before it since the session
// began, counted from 1, so that finding it is one index. A token stays valid until its entry is popped, and no earlier
// entry is ever popped later.
type line struct {
	ring []entry // its length is a power of two, or 0
	head uint64  // token of the first entry
	tail uint64  // token of the next one
}

func (l *line) len() int { return int(l.tail - l.head) }

// at returns the entry of a token that has not been popped. The pointer is good until the next push.
func (l *line) at(token uint64) *entry { return &l.ring[token&uint64(len(l.ring)-1)] }

func (l *line) push(e entry) (token uint64) {
	if l.tail == 0 {
		l.head, l.tail = 1, 1
	}
	if l.len() == len(l.ring) {
		l.grow()
	}
	token = l.tail
	l.tail++
	*l.at(token) = e
	return token
}

func (l *line) pop() {
	*l.at(l.head) = entry{}
	l.head++
}

func (l *line) grow() {
	old := *l
	l.ring = make([]entry, max(8, 2*len(old.ring)))
	for t := old.head; t < old.tail; t++ {
		*l.at(t) = *old.at(t)
	}
}

// large is how many entries a session keeps memory for while it has none: as many as a usual window, so that a client in full
// flow costs no allocations, and not those of the largest burst there ever was.
const large = 128

// shrink gives the memory of an empty line back, unless it is for atMost entries.
func (l *line) shrink(atMost int) {
	if l.len() == 0 && len(l.ring) > atMost {
		l.ring = nil
	}
}

// emptied is acks to be used again, without the memory of a burst.
func emptied(acks []ack) []ack {
	if cap(acks) > large {
		return nil
	}
	return acks[:0]
}

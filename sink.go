package edged

import "context"

// Delivery is one write to a sink: the rows of one stream between two positions of its log. The same Key always carries
// the same bytes.
type Delivery struct {
	Key  string // store UUID / stream / sink / from–to / encoder
	Rows *Rows
}

// Sink is where rows end. It has one writer: Open, Write and Close are never called at the same time, and what Write
// returned is committed before Write is called again.
//
// Open gets the last committed receipt (nil at first) and redo: the deliveries whose ranges were committed before their
// first byte was written and whose end was not, in order. They may stand beyond the receipt in part, and come again as
// the first Write. An error leaves the sink closed, and Open is called again after a backoff.
//
// Write delivers a turn, in order. The first done deliveries are durable there when it returns (a file: data and
// directory synced; HTTP: answered 2xx), and receipt is what Open needs to know after them; a nil receipt leaves the
// last one in force. It is committed in the transaction that moves the cursors. err, when done < len(turn), is about
// turn[done]; its Class says what happens to it. done < len(turn) without an error (done may be 0, several times in a row)
// means that the sink cannot go on before this receipt is committed: a file of a new name or length. The rest comes again
// at once. Write retains nothing of the turn.
type Sink interface {
	Open(ctx context.Context, receipt []byte, redo []Delivery) error
	Write(ctx context.Context, turn []Delivery) (done int, receipt []byte, err error)
	Close() error
}

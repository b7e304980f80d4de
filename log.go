package edged

import (
	"fmt"
	"strings"
)

// Pos is a place in a log: an entry and an offset in it (a message of a block, a row of a result entry). Streams stand at
// entry ends, where Off is 0; deliveries may stand within an entry.
type Pos struct {
	Seq uint64
	Off uint32
}

// Compare returns -1, 0 or +1.
func (p Pos) Compare(q Pos) int {
	switch {
	case p.Seq < q.Seq || p.Seq == q.Seq && p.Off < q.Off:
		return -1
	case p == q:
		return 0
	}
	return 1
}

// Before reports whether p is earlier than q.
func (p Pos) Before(q Pos) bool { return p.Compare(q) < 0 }

// String is the form used in keys and logs: "seq.off".
func (p Pos) String() string { return fmt.Sprintf("%d.%d", p.Seq, p.Off) }

// Entry is one entry of the block log: a block or a tick, or neither when it could not be read.
type Entry struct {
	Seq   uint64
	Block *Block
	Tick  *Tick
	Err   error // what is wrong with a damaged entry
}

// Tick is a log entry without messages. It moves time on where no block does, and carries the running totals that make
// the log check itself: a consumer that passes a tick knows how many messages it must have seen.
//
// Every commit that stores blocks ends with one; one is written alone only when an open window waits for its time.
type Tick struct {
	Seq       uint64
	Receivers []ReceiverTotal
	Routed    []StreamTotal
}

// ReceiverTotal is what the log knows of one receiver at a tick.
type ReceiverTotal struct {
	Receiver string
	Cut      Instant // no message of the receiver with an earlier arrival will come
	Stored   uint64  // messages in blocks since the store was made
	Bytes    uint64  // their topics and payloads
	Rejected uint64  // messages offered and refused (full, too large), since the store was made
	Stream   bool    // it is a chained stream: Cut is on the clock of its rows, which can be that of their payloads
}

// StreamTotal is the number of stored messages whose receiver and topic a stream takes, since the stream was first seen.
type StreamTotal struct {
	Stream string
	Routed uint64
}

// Cut returns the latest cut of a receiver, or false if the tick does not know it.
func (t *Tick) Cut(receiver string) (Instant, bool) {
	for i := range t.Receivers {
		if t.Receivers[i].Receiver == receiver {
			return t.Receivers[i].Cut, true
		}
	}
	return Instant{}, false
}

// Newest is the latest cut of all receivers, chained streams apart; the zero Instant if there is none.
func (t *Tick) Newest() Instant {
	var at Instant
	for i := range t.Receivers {
		if !t.Receivers[i].Stream && at.Before(t.Receivers[i].Cut) {
			at = t.Receivers[i].Cut
		}
	}
	return at
}

// RoutedTo returns the running total of a stream, or false if the tick does not know it.
func (t *Tick) RoutedTo(stream string) (uint64, bool) {
	for i := range t.Routed {
		if t.Routed[i].Stream == stream {
			return t.Routed[i].Routed, true
		}
	}
	return 0, false
}

// DeadLetters is the stream to whose result log dead letters are appended, and the sink that writes them to their file.
const DeadLetters = "dead_letters"

// StreamCursor is the name of a stream's cursor.
func StreamCursor(stream string) string { return "stream/" + stream }

// DeliveryCursor is the name of the cursor of a delivery: a (stream, sink) pair.
func DeliveryCursor(stream, sink string) string { return "delivery/" + stream + "/" + sink }

// SplitDelivery returns the stream and sink of a delivery's cursor, or false if name is another's.
func SplitDelivery(name string) (stream, sink string, ok bool) {
	rest, ok := strings.CutPrefix(name, "delivery/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// Late and Replay are the side logs that a stream can have besides its results: rows that came too late, and rows that were given once more.
const (
	Late   = "late"
	Replay = "replay"
)

// SideLog is the name of a stream's side log, under which it is stored, delivered and shown. No stream has a dot in its name.
func SideLog(stream, side string) string { return stream + "." + side }

// StreamOf is the stream to which a side log belongs, and of any other log its own name.
func StreamOf(log string) string {
	stream, _, _ := strings.Cut(log, ".")
	return stream
}

// SideCursor is the name of the cursor that says how many rows a side log has had. It needs nothing, or the log
// itself as long as nobody else does.
func SideCursor(log string) string { return "side/" + log }

// EraShift divides the number of a log entry: the bits below are the entry's count, from 1; those above are the era, which
// begins anew when a store was damaged and it is not known how far its numbers went.
const EraShift = 40

// CountOf is the count in a log entry's number.
func CountOf(seq uint64) uint64 { return seq & (1<<EraShift - 1) }

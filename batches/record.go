package batches

import (
	"encoding/binary"
	"errors"

	"edged"
)

// Counts are a stream's part of the ledger, in messages. routed = Filtered + Dead + Late + Applied + Damaged + Dropped +
// pending.
type Counts struct {
	Filtered uint64 `json:"filtered"` // where did not hold
	Dead     uint64 `json:"dead"`     // dead-lettered
	Late     uint64 `json:"late"`     // after their window had closed
	Applied  uint64 `json:"applied"`  // became rows, or part of a window
	Damaged  uint64 `json:"damaged"`  // in blocks that could not be read, or lost with memory
	Dropped  uint64 `json:"dropped"`  // past max_groups
	Produced uint64 `json:"produced"` // rows given to the deliveries: messages without a window, else results
}

func (c *Counts) passed() uint64 {
	return c.Filtered + c.Dead + c.Late + c.Applied + c.Damaged + c.Dropped
}

// record is what a stream's cursor carries.
type record struct {
	applied    uint64 // the next entry to take
	checkpoint uint64 // the entry before which the saved state ends
	born       uint64 // entries from here on are counted as routed by the committer
	base       uint64 // its total at born
	old        uint64 // messages before born, counted by the stream itself as it passes them
	life       uint64 // another one when the counts began anew; see edged.Feed
	Counts
}

const recordVersion = 1

func (r *record) fields() []*uint64 {
	return []*uint64{
		&r.applied, &r.checkpoint, &r.born, &r.base, &r.old,
		&r.Filtered, &r.Dead, &r.Late, &r.Applied, &r.Damaged, &r.Dropped, &r.Produced,
	}
}

func (r *record) append(b []byte) []byte {
	b = append(b, recordVersion)
	for _, f := range r.fields() {
		b = binary.AppendUvarint(b, *f)
	}
	if r.life != 0 {
		b = binary.AppendUvarint(b, r.life)
	}
	return b
}

func readRecord(b []byte) (r record, err error) {
	if len(b) == 0 || b[0] != recordVersion {
		return r, errors.New("the record of the stream has an unknown version")
	}
	b = b[1:]
	for _, f := range r.fields() {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return r, errors.New("the record of the stream ends too early")
		}
		*f, b = v, b[n:]
	}
	if v, n := binary.Uvarint(b); n > 0 {
		r.life = v
	}
	return r, nil
}

// cursor is the stream's cursor: entries are needed from the checkpoint on.
func (r *record) cursor(stream string) edged.Cursor {
	return edged.Cursor{Name: edged.StreamCursor(stream), Need: edged.SpansFrom(min(r.applied, r.checkpoint)), Data: r.append(nil)}
}

// routed is the number of messages routed to the stream up to a tick, or false if the tick does not know the stream.
func (r *record) routed(stream string, t *edged.Tick) (uint64, bool) {
	if t == nil || t.Seq < r.born {
		return 0, false
	}
	n, ok := t.RoutedTo(stream)
	return r.old + n - r.base, ok
}

package delivery

import (
	"encoding/json"
	"fmt"

	"edged"
)

// Counts are a delivery's part of the ledger, in rows. produced = Delivered + Dead + Dropped + Damaged + pending.
type Counts struct {
	Delivered uint64 `json:"delivered"`
	Dead      uint64 `json:"dead"`    // dead-lettered: the sink will never take them
	Dropped   uint64 `json:"dropped"` // by when_full, or by a full file of dead letters
	Damaged   uint64 `json:"damaged"` // in log entries that could not be read
}

func (c Counts) passed() uint64 { return c.Delivered + c.Dead + c.Dropped + c.Damaged }

// record is what a delivery's cursor carries. It is JSON (see saved), written once a turn, and read by people.
type record struct {
	At    place       `json:"at"`          // the next row to deliver
	Born  place       `json:"born"`        // from here on the stream counts what it produces
	Young bool        `json:"young"`       // At is still before Born: rows are counted as they are passed
	Base  uint64      `json:"base"`        // the stream's count at Born
	Old   uint64      `json:"old"`         // rows before Born
	Skip  edged.Spans `json:"skip"`        // entries of At's log that when_full dropped
	Life  uint64      `json:"life"`        // the stream's, by whose count this is
	Max   int64       `json:"max_pending"` // kept for the time after the delivery was removed from the configuration
	Counts
}

// saved is a record without what is zero, which is most of it: while all cursors together take less than a kilobyte they share a page with the end of the log,
// and a commit that moves them writes no page more (docs/adr/0025-the-shelf.md).
type saved struct {
	At    place       `json:"at"`
	Born  place       `json:"born"`
	Young bool        `json:"young,omitempty"`
	Base  uint64      `json:"base,omitempty"`
	Old   uint64      `json:"old,omitempty"`
	Skip  edged.Spans `json:"skip,omitempty"`
	Life  uint64      `json:"life,omitempty"`
	Max   int64       `json:"max_pending,omitempty"`
	savedCounts
}

type savedCounts struct {
	Delivered uint64 `json:"delivered,omitempty"`
	Dead      uint64 `json:"dead,omitempty"`
	Dropped   uint64 `json:"dropped,omitempty"`
	Damaged   uint64 `json:"damaged,omitempty"`
}

// place is an edged.Place in JSON.
type place struct {
	Log string `json:"log,omitempty"`
	Seq uint64 `json:"seq"`
	Off uint32 `json:"off,omitempty"`
}

func toPlace(p edged.Place) place { return place{p.Log, p.Seq, p.Off} }
func (p place) place() edged.Place {
	return edged.Place{Log: p.Log, Pos: edged.Pos{Seq: p.Seq, Off: p.Off}}
}

// born reports whether a place is at or past the delivery's birth; after, whether it is past it.
func (r *record) born(at edged.Place) bool {
	return at.Log == r.Born.Log && !at.Before(r.Born.place().Pos)
}

func (r *record) after(at edged.Place) bool { return r.born(at) && at != r.Born.place() }

// cursor makes the delivery's cursor: everything from At on is needed, but for what is skipped.
func (r *record) cursor(name string) edged.Cursor {
	need := edged.SpansFrom(r.At.Seq)
	for _, sp := range r.Skip {
		need = need.Remove(sp.From, sp.To)
	}
	data, _ := json.Marshal(saved{r.At, r.Born, r.Young, r.Base, r.Old, r.Skip, r.Life, r.Max, savedCounts(r.Counts)}) // numbers and strings only
	return edged.Cursor{Name: name, Log: r.At.Log, Need: need, Data: data}
}

func readRecord(c edged.Cursor) (record, error) {
	var r record
	if err := json.Unmarshal(c.Data, &r); err != nil {
		return r, fmt.Errorf("the record of %s cannot be read: %w", c.Name, err)
	}
	return r, nil
}

// sinkRecord is what a sink's cursor carries: its receipt, and the ranges that may be on their way.
type sinkRecord struct {
	Receipt []byte `json:"receipt,omitempty"`
	Turn    []part `json:"turn,omitempty"`
}

// part is one delivery of a turn: a run of rows of a stream, and the hash of what makes bytes of them.
type part struct {
	Stream  string `json:"stream"`
	From    place  `json:"from"`
	To      place  `json:"to"`
	Encoder string `json:"encoder"`
	Rows    int    `json:"rows"` // when it was planned: fewer are left if a block was lost since
}

func (r *sinkRecord) cursor(sink string) edged.Cursor {
	data, _ := json.Marshal(r) // numbers, strings and bytes only
	return edged.Cursor{Name: sinkCursor(sink), Data: data}
}

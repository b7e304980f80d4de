package batches

import (
	"context"

	"edged"
)

// dryStore is a Store without a disk: it holds the entries that it was given until the stream has taken them, and the results until they were read. Of
// what is committed it keeps the results alone, and what is for other streams. It is used by one goroutine.
type dryStore struct {
	log     []edged.Entry // the first one has the number first
	first   uint64
	tick    *edged.Tick
	results map[string]*dryLog
	blocks  []*edged.Block // of a chained stream
}

// dryLog is a result log from the entry with the number first on.
type dryLog struct {
	first   uint64
	entries []edged.Result
}

func newDryStore() *dryStore { return &dryStore{first: 1, results: map[string]*dryLog{}} }

// append adds an entry to the log, and gives it its number.
func (d *dryStore) append(e edged.Entry) {
	e.Seq = d.End()
	if e.Block != nil {
		e.Block.Seq = e.Seq
	}
	if e.Tick != nil {
		e.Tick.Seq, d.tick = e.Seq, e.Tick
	}
	d.log = append(d.log, e)
}

// forget lets go of everything that it holds.
func (d *dryStore) forget() {
	d.first = d.End()
	clear(d.log)
	d.log = d.log[:0]
	for _, l := range d.results {
		l.first += uint64(len(l.entries))
		clear(l.entries)
		l.entries = l.entries[:0]
	}
}

func (d *dryStore) resultsOf(stream string) *dryLog {
	l := d.results[stream]
	if l == nil {
		l = &dryLog{first: 1}
		d.results[stream] = l
	}
	return l
}

// End implements Store.
func (d *dryStore) End() uint64 { return d.first + uint64(len(d.log)) }

// Pending implements Store. A trial takes each entry when it has come: nothing waits.
func (d *dryStore) Pending(string, edged.Spans) int64 { return 0 }

// Oldest implements Store.
func (d *dryStore) Oldest() (uint64, error) { return d.first, nil }

// Next implements Store.
func (d *dryStore) Next(seq uint64) (edged.Entry, bool, error) {
	if seq = max(seq, d.first); seq >= d.End() {
		return edged.Entry{}, false, nil
	}
	return d.log[seq-d.first], true, nil
}

// LastTick implements Store.
func (d *dryStore) LastTick() *edged.Tick { return d.tick }

// Changed implements Store: nobody waits for it.
func (d *dryStore) Changed() <-chan struct{} { return nil }

// Cursor implements Store: none is known.
func (d *dryStore) Cursor(string) (edged.Cursor, bool) { return edged.Cursor{}, false }

// Cursors implements Store.
func (d *dryStore) Cursors() []edged.Cursor { return nil }

// ResultEnd implements Store.
func (d *dryStore) ResultEnd(stream string) uint64 {
	l := d.resultsOf(stream)
	return l.first + uint64(len(l.entries))
}

// NextResult implements Store.
func (d *dryStore) NextResult(stream string, seq uint64) (edged.Result, bool, error) {
	l := d.resultsOf(stream)
	if seq = max(seq, l.first); seq >= l.first+uint64(len(l.entries)) {
		return edged.Result{}, false, nil
	}
	return l.entries[seq-l.first], true, nil
}

// LastResult implements Store.
func (d *dryStore) LastResult(stream string) (edged.Result, bool, error) {
	if l := d.resultsOf(stream); len(l.entries) > 0 {
		return l.entries[len(l.entries)-1], true, nil
	}
	return edged.Result{}, false, nil
}

// Values implements Store: there are none.
func (d *dryStore) Values(string, func(string, []byte, error) error) error { return nil }

// Commit implements Store.
func (d *dryStore) Commit(_ context.Context, u *edged.Update, _ bool) error {
	for _, r := range u.Results {
		r.Seq = d.ResultEnd(r.Stream)
		l := d.resultsOf(r.Stream)
		l.entries = append(l.entries, r)
	}
	d.blocks = append(d.blocks, u.Blocks...)
	return nil
}

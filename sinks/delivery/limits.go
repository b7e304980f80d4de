package delivery

import (
	"context"
	"fmt"
	"sort"

	"edged"
)

// enforce keeps deliveries with drop_oldest or drop_newest within max_pending, and has them give way when the store is full before that. What it drops is counted to the row, in the
// transaction that gives it up. The ranges of the turn under way are never dropped: nobody knows whether they arrived.
func (w *Writer) enforce(ctx context.Context) error {
	dropped := false
	for _, d := range w.deliveries {
		if err := w.passOthers(d); err != nil {
			return err
		}
		n, err := w.enforceOne(d)
		if err != nil {
			return err
		}
		if n > 0 {
			dropped = true
			w.meter.rows(d.stream, "dropped", n)
			w.sayOnce(d.stream, "max_pending is reached, or the store is full: rows are dropped ("+d.whenFull+") and counted", fmt.Errorf("%d rows so far", d.rec.Dropped))
		}
	}
	if !dropped {
		return nil
	}
	return w.commit(ctx, nil, false)
}

// passOthers leaves entries behind the turn out that have no row for this sink: of a log that not every entry of is for each of its sinks, they would be held
// by one that is away, and count as its.
func (w *Writer) passOthers(d *Delivery) error {
	end := d.feed.End()
	if !d.seldom || !d.known || end.Log != d.rec.At.Log {
		return nil
	}
	from, _ := w.behindTurn(d)
	if from.Off > 0 {
		from.Pos = edged.Pos{Seq: from.Seq + 1}
	}
	for from.Seq = max(from.Seq, d.looked); from.Seq < end.Seq; {
		r, err := d.feed.Read(from, end, edged.Limits{Rows: 1, Bytes: 1})
		if err != nil {
			return err
		}
		next := r.To.Seq
		if r.Rows.Len() > 0 {
			next = r.Rows.At[0].Seq
		}
		if next > from.Seq {
			d.rec.Skip, d.moved = d.rec.Skip.Add(from.Seq, next), true
		}
		if r.Rows.Len() > 0 {
			next++
		}
		if next <= from.Seq {
			break
		}
		from.Seq, d.looked = next, next
	}
	return nil
}

func (w *Writer) enforceOne(d *Delivery) (rows int, err error) {
	if d.whenFull == "block" || !d.known {
		return 0, nil
	}
	end := d.feed.End()
	c := d.rec.cursor(d.name)
	if end.Log != c.Log {
		return 0, nil
	}
	need, down, ok := w.excess(d, c)
	if !ok {
		return 0, nil
	}
	begin, free := w.behindTurn(d)
	if begin.Seq >= end.Seq {
		return 0, nil
	}
	pending := func(without edged.Span) int64 {
		return w.o.Store.Pending(c.Log, need.Remove(without.From, without.To))
	}
	n := int(end.Seq - begin.Seq)
	var drop edged.Span
	if d.whenFull == "drop_oldest" {
		target := down - down/10 // some room, so that it is not done for every block
		k := sort.Search(n, func(k int) bool { return pending(edged.Span{From: begin.Seq, To: begin.Seq + uint64(k)}) <= target })
		drop = edged.Span{From: begin.Seq, To: begin.Seq + uint64(k)}
	} else {
		k := sort.Search(n, func(k int) bool { return pending(edged.Span{From: begin.Seq + uint64(k), To: edged.Forever}) > down })
		drop = edged.Span{From: begin.Seq + uint64(max(k-1, 0)), To: end.Seq}
	}
	if drop.From >= drop.To {
		return 0, nil
	}
	from := begin
	if drop.From > begin.Seq {
		from = edged.Place{Log: c.Log, Pos: edged.Pos{Seq: drop.From}}
	}
	to := edged.Place{Log: c.Log, Pos: edged.Pos{Seq: drop.To}}
	if rows, err = d.count(from, to); err != nil {
		return 0, err
	}
	old := 0 // of those after which the birth comes
	if d.rec.Young && d.rec.after(to) && !d.rec.born(from) {
		if old, err = d.count(from, d.rec.Born.place()); err != nil {
			return 0, err
		}
	} else if d.rec.Young && !d.rec.after(to) {
		old = rows
	}
	if free && from == d.rec.At.place() {
		if d.rec.after(to) { // else pass counts them
			d.rec.Old += uint64(old)
		}
		d.pass(to, rows, &d.rec.Dropped)
		return rows, nil
	}
	d.rec.Skip = d.rec.Skip.Add(drop.From, drop.To)
	d.rec.Dropped += uint64(rows)
	d.rec.Old += uint64(old)
	d.moved = true
	return rows, nil
}

// behindTurn is the first place that may be dropped: where the delivery stands, or behind its ranges of the turn, at an
// entry's beginning. free says that no range of the turn is in the way.
func (w *Writer) behindTurn(d *Delivery) (at edged.Place, free bool) {
	at, free = d.rec.At.place(), true
	for _, p := range w.turn {
		if p.d == d {
			at, free = p.rng.To.place(), false
		}
	}
	if !free && at.Off > 0 {
		at.Pos = edged.Pos{Seq: at.Seq + 1}
	}
	return at, free
}

// count counts the rows between two places, those already skipped left out.
func (d *Delivery) count(from, to edged.Place) (rows int, err error) {
	for from != to {
		until := to
		skipped := false
		for _, sp := range d.rec.Skip {
			if from.Seq >= sp.From && from.Seq < sp.To {
				from, skipped = edged.Place{Log: from.Log, Pos: edged.Pos{Seq: min(sp.To, to.Seq)}}, true
			} else if sp.From > from.Seq && sp.From < until.Seq {
				until.Pos = edged.Pos{Seq: sp.From}
			}
		}
		if skipped {
			continue
		}
		r, err := d.feed.Read(from, until, edged.Limits{Rows: 10000, Bytes: 8 << 20})
		if err != nil {
			return rows, err
		}
		if r.Rows != nil {
			rows += r.Rows.Len()
		}
		if r.To == from {
			return rows, nil
		}
		from = r.To
	}
	return rows, nil
}

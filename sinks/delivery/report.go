package delivery

import "time"

// Report is what one write of a sink did.
type Report struct {
	Rows    int           // that the sink took, of all its streams; those that come again are left out, here and below: they slow nobody down
	Took    time.Duration // the write: the sink's own time
	Waiting int           // rows that the streams have given and the sink has not taken yet
}

// report tells what a write took of the turn, and makes the next turn as long as the sink works on it for a batch interval, about: a slow sink
// would otherwise say so only after a long turn. It is called before the turn is booked.
func (w *Writer) report(done int, took time.Duration) {
	if w.o.Report == nil || done == 0 {
		return
	}
	r, all := Report{}, 0
	for _, p := range w.turn[:done] {
		if all += p.rows.Len(); !p.d.seldom {
			r.Rows += p.rows.Len()
		}
	}
	r.Took = time.Duration(float64(took) * float64(r.Rows) / float64(max(all, 1)))
	waiting := -r.Rows
	for _, d := range w.deliveries {
		if d.known && !d.seldom {
			waiting += max(0, int(d.rec.produced(d.feed)-d.rec.passed()))
		}
	}
	r.Waiting = max(0, waiting)
	fit := turnParts
	if each := took / time.Duration(done); each > 0 {
		fit = int(min(w.o.Interval/each, turnParts))
	}
	w.parts = max(len(w.deliveries), min(fit, 2*w.parts)) // each stream has its part in a turn, or the first ones would starve the others
	if r.Rows > 0 {
		w.o.Report(r)
	}
}

// firstParts is the length of the first turn.
func firstParts(o *Options) int {
	if o.Report == nil {
		return turnParts
	}
	return len(o.Deliveries)
}

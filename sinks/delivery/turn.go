package delivery

import (
	"time"

	"edged"
)

// planned is one delivery of the turn, with its rows at hand.
type planned struct {
	d     *Delivery
	rng   part
	rows  *edged.Rows
	bytes int64 // of log, about; 0 of one that was read again after a restart
}

const (
	turnBytes = 8 << 20 // of rows in one turn, about, if Options do not say less
	turnParts = 64      // deliveries in one turn at most; see also report

	// A turn costs a commit, and its rows are held until the sink has them. Where commits are quick, half of what a turn may hold is as good; where they are
	// slower than this (the cadence when the write budget is spent, a slow disk) there are few turns, and each takes what it may.
	slowCommit = 100 * time.Millisecond
)

// room is how many bytes of rows this turn takes, about.
func (w *Writer) room() int64 {
	if w.waited < slowCommit {
		return w.o.TurnBytes / 2
	}
	return w.o.TurnBytes
}

// plan takes what the streams have waiting, one delivery of each in turns, as many as fit. more says that there is more to
// take at once; wait is how long until the oldest waiting row is due, 0 if none waits.
func (w *Writer) plan(now time.Time, all bool) (turn []planned, more bool, wait time.Duration, err error) {
	at := make([]edged.Place, len(w.deliveries))
	ended := make([]edged.Place, len(w.deliveries)) // where the turn's last range ended: the next one begins there, over what gave no rows
	open := make([]bool, len(w.deliveries))
	for i, d := range w.deliveries {
		at[i], ended[i], open[i] = d.rec.At.place(), d.rec.At.place(), d.known
	}
	bytes, room, spare := int64(0), w.room(), w.spare
	w.spare = nil
	for again := true; again; {
		again = false
		for i, d := range w.deliveries {
			if !open[i] {
				continue
			}
			if len(turn) >= w.parts || bytes >= room {
				return turn, true, 0, nil
			}
			limits := w.lim()
			if len(spare) > 0 {
				limits.Into = spare[0]
			}
			p, next, rest, due, err := w.take(d, at[i], limits, now, all)
			if err != nil {
				return nil, false, 0, err
			}
			if p != nil {
				p.rng.From = toPlace(ended[i])
				turn = append(turn, *p)
				w.spare, spare, w.planned = append(w.spare, p.rows), spare[min(1, len(spare)):], now
				bytes += p.bytes
				ended[i] = next
			} else if next != at[i] && at[i] == d.rec.At.place() { // nothing but what was filtered
				d.pass(next, 0, nil)
				next = d.rec.At.place()
				ended[i] = next
			}
			open[i] = rest && next != at[i]
			again = again || open[i]
			at[i] = next
			if due > 0 && (wait == 0 || due < wait) {
				wait = due
			}
		}
	}
	for _, d := range w.deliveries {
		if d.known {
			d.settle()
		}
	}
	if len(turn) == 0 && now.Sub(w.planned) < 2*w.o.Interval { // after a rest it may be long before it is needed
		w.spare = spare
	}
	return turn, false, wait, nil
}

// take reads the next delivery of one stream. p is nil if there is nothing to write; rest says that there is more behind it; due is how long to wait if rows
// are there and not due.
func (w *Writer) take(d *Delivery, at edged.Place, limits edged.Limits, now time.Time, all bool) (p *planned, next edged.Place, rest bool, due time.Duration, err error) {
	r, err := d.read(at, limits)
	if err != nil {
		return nil, at, false, 0, err
	}
	if r.Rows == nil || r.Rows.Len() == 0 {
		if at == d.rec.At.place() {
			d.since = time.Time{}
		}
		return nil, r.To, r.More, 0, nil
	}
	if d.since.IsZero() {
		d.since = now
	}
	if !r.More && !all && r.Rows.Len() < w.limits.Rows {
		if due = w.limits.Age - now.Sub(d.since); due > 0 {
			clear(r.Rows.Cells) // its memory is used again, and is to hold nothing of this
			return nil, at, false, due, nil
		}
	}
	d.since = time.Time{}
	rng := part{Stream: d.stream, From: toPlace(r.From), To: toPlace(r.To), Encoder: encoderHash(w.o.Encoding, r.Like), Rows: r.Rows.Len()}
	return &planned{d, rng, r.Rows, r.Bytes}, r.To, r.More, 0, nil
}

func (w *Writer) lim() edged.Limits {
	return edged.Limits{Rows: w.limits.Rows, Bytes: w.size.now}
}

// restore reads the rows of a committed turn again. Ranges that the present configuration would encode differently, or whose
// stream is gone, are given up: their rows come again under new keys.
//
// A range of which rows were lost is the last one: what is behind it is planned anew.
func (w *Writer) restore(turn []part) (out []planned, err error) {
	for _, g := range turn {
		d := w.find(g.Stream)
		if d == nil {
			w.o.Log.Warn("the sink had a delivery of this stream under way, and the stream is not configured for it any more", "sink", w.o.Name, "stream", g.Stream)
			continue
		}
		p := planned{d: d, rng: g, rows: &edged.Rows{Stream: d.stream}}
		for at := g.From.place(); at != g.To.place(); {
			r, err := d.readTo(at, g.To.place(), edged.Limits{Rows: 1 << 30, Bytes: 1 << 40})
			if err != nil {
				return nil, err
			}
			if r.Rows != nil && r.Rows.Len() > 0 {
				if encoderHash(w.o.Encoding, r.Like) != g.Encoder {
					return out, nil
				}
				if p.rows.Len() == 0 {
					p.rows = r.Rows
				} else {
					p.rows.Cells, p.rows.At = append(p.rows.Cells, r.Rows.Cells...), append(p.rows.At, r.Rows.At...)
				}
			}
			if r.To == at {
				return out, nil // it is not what it was: the log behind it is gone
			}
			at = r.To
		}
		first := d.rec.At.place() == g.From.place()
		if !first && !followed(out, d, g) {
			return out, nil
		}
		if gone := g.Rows - p.rows.Len(); gone != 0 {
			w.o.Log.Warn("rows of a delivery that was under way were lost (storage = \"memory\" at a crash, or a damaged block): the others go under other keys, and may come twice",
				"sink", w.o.Name, "stream", g.Stream, "rows", g.Rows, "left", p.rows.Len())
			d.lose(gone, g.To.place())
			out = append(out, p.remains()...)
			return out, nil
		}
		out = append(out, p)
	}
	return out, nil
}

// lose counts rows before a place that cannot be read any more.
func (d *Delivery) lose(rows int, to edged.Place) {
	if rows <= 0 {
		return
	}
	d.rec.Damaged += uint64(rows)
	if d.rec.Young && !d.rec.after(to) {
		d.rec.Old += uint64(rows)
	}
	d.moved = true
}

// remains makes other ranges of what is left of one that lost rows: under its own key they would be other bytes.
func (p planned) remains() []planned {
	switch p.rows.Len() {
	case 0:
		return nil
	case 1:
		p.rng.Rows = 1
		if at := p.rows.At[0]; (place{Log: p.rng.From.Log, Seq: at.Seq, Off: at.Off + 1}) != p.rng.To {
			p.rng.To = place{Log: p.rng.From.Log, Seq: at.Seq, Off: at.Off + 1}
		} else {
			p.rng.From = place{Log: p.rng.From.Log, Seq: at.Seq, Off: at.Off}
		}
		return []planned{p}
	}
	a, b := p.split()
	return []planned{a, b}
}

// followed reports whether the range begins where the turn's last one of the same delivery ends.
func followed(turn []planned, d *Delivery, g part) bool {
	for i := len(turn) - 1; i >= 0; i-- {
		if turn[i].d == d {
			return turn[i].rng.To == g.From
		}
	}
	return false
}

func (w *Writer) find(stream string) *Delivery {
	for _, d := range w.deliveries {
		if d.stream == stream {
			return d
		}
	}
	return nil
}

// split halves a delivery that the sink will not take as a whole.
func (p planned) split() (a, b planned) {
	mid := p.rows.Len() / 2
	at := place{Log: p.rng.From.Log, Seq: p.rows.At[mid].Seq, Off: p.rows.At[mid].Off}
	a = planned{d: p.d, rng: part{p.rng.Stream, p.rng.From, at, p.rng.Encoder, mid}, rows: p.rows.Slice(0, mid), bytes: p.bytes / 2}
	b = planned{d: p.d, rng: part{p.rng.Stream, at, p.rng.To, p.rng.Encoder, p.rows.Len() - mid}, rows: p.rows.Slice(mid, p.rows.Len()), bytes: p.bytes / 2}
	return a, b
}

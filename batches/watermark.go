package batches

import (
	"math"

	"edged"
)

// watermark is the time up to which a stream's input is taken as complete. It moves at the ends of log entries only.
//
// On arrival time it is the earliest of its receivers' latest cuts, epoch first. On event time it is the highest event
// time so far minus the allowed lateness; after idle without a row it moves on at the pace of arrival time.
type watermark struct {
	p    *Plan
	cuts []edged.Instant // latest cut of each receiver of p.from

	// Event time only.
	seen  bool
	high  int64         // of the rows so far, minus the lateness
	event int64         // the watermark: high, as of the last entry's end
	from  edged.Instant // arrival time from which the idle time counts; zero as long as nothing is known of one of the receivers
	base  int64         // the watermark at from
}

const never = math.MinInt64

func newWatermark(p *Plan) *watermark {
	return &watermark{p: p, cuts: make([]edged.Instant, len(p.from)), high: never, event: never}
}

// arrival is the arrival watermark.
func (w *watermark) arrival() edged.Instant {
	at := w.cuts[0]
	for _, c := range w.cuts[1:] {
		if c.Before(at) {
			at = c
		}
	}
	return at
}

// now is the watermark; on event time in epoch 0, since event times do not know the gateway's clock.
func (w *watermark) now() edged.Instant {
	if w.p.time.field == nil {
		return w.arrival()
	}
	return edged.Instant{Wall: w.event}
}

// row notes the event time of a row. It moves nothing before the entry's end.
func (w *watermark) row(at int64) {
	if w.p.time.field != nil {
		w.seen = true
		w.high = max(w.high, at-w.p.time.lateness)
	}
}

// entryEnd moves the watermark after an entry; rows says whether the entry brought the stream a row.
func (w *watermark) entryEnd(e *edged.Entry, rows bool) {
	for i, name := range w.p.from {
		switch {
		case e.Block != nil && e.Block.Receiver == name:
			w.cuts[i] = later(w.cuts[i], e.Block.Cut)
		case e.Tick != nil:
			if at, ok := e.Tick.Cut(name); ok {
				w.cuts[i] = later(w.cuts[i], at)
			}
		}
	}
	if w.p.time.field == nil {
		return
	}
	at := w.arrival()
	if !w.seen {
		if w.from.IsZero() || at.Epoch != w.from.Epoch {
			w.from = at
		}
		return
	}
	w.event = max(w.event, w.high)
	if rows || at.Epoch != w.from.Epoch || w.from.IsZero() {
		w.from, w.base = at, w.event
		return
	}
	if idle := at.Wall - w.from.Wall - w.p.time.idle; w.p.time.idle > 0 && idle > 0 {
		w.event = max(w.event, w.base+idle)
	}
}

// reach is the arrival time at which the watermark will be at end, if no row comes; false if it never will.
func (w *watermark) reach(end edged.Instant) (edged.Instant, bool) {
	switch {
	case w.p.time.field == nil:
		return end, true
	case w.p.time.idle == 0 || !w.seen || w.from.IsZero():
		return edged.Instant{}, false
	}
	return edged.Instant{Epoch: w.from.Epoch, Wall: w.from.Wall + w.p.time.idle + end.Wall - w.base}, true
}

func later(a, b edged.Instant) edged.Instant {
	if a.Before(b) {
		return b
	}
	return a
}

// silent is the event watermark as those see it who take what the stream gives: one that has had no row for the idle time since it began says that none is to
// come that is older than the lateness, or whoever waits for several streams would wait for it for ever. Rows that are older all the same arrive at that
// moment. false: nothing is known.
func (w *watermark) silent() (event int64, ok bool) {
	if w.seen {
		return w.event, w.event != never
	}
	at := w.arrival()
	if w.p.time.idle == 0 || w.from.IsZero() || at.Epoch != w.from.Epoch || at.Wall-w.from.Wall <= w.p.time.idle {
		return never, false
	}
	return at.Wall - w.p.time.lateness - w.p.time.idle, true
}

// reachSilent is reach for silent.
func (w *watermark) reachSilent(end edged.Instant) (edged.Instant, bool) {
	if w.seen || w.p.time.idle == 0 || w.from.IsZero() {
		return w.reach(end)
	}
	return edged.Instant{Epoch: w.from.Epoch, Wall: max(w.from.Wall+1, end.Wall+w.p.time.lateness) + w.p.time.idle}, true
}

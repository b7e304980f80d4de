package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"edged"
	"edged/internal/deadletter"
	"edged/sinks/encode"
)

// outcome books what became of the turn's first deliveries, decides about the next one, and commits all of it together
// with the ranges of the turn that follows.
func (w *Writer) outcome(ctx context.Context, done int, receipt []byte, err error, draining bool) error {
	if receipt != nil {
		w.rec.Receipt = receipt
	}
	for _, p := range w.turn[:done] {
		p.d.pass(p.rng.To.place(), p.rows.Len(), &p.d.rec.Delivered)
		w.meter.rows(p.d.stream, "delivered", p.rows.Len())
	}
	w.turn = w.turn[done:]
	if done > 0 {
		w.well()
		w.size.taken()
	}
	if err == nil && len(w.turn) > 0 { // the sink must have its receipt committed before it goes on
		return w.commit(ctx, nil, true)
	}
	var letters []edged.Result
	split := false
	if len(w.turn) > 0 {
		switch p, class := w.turn[0], edged.ClassOf(err); class {
		case edged.Poison, edged.TooLarge:
			split = true
			if class == edged.TooLarge && p.rows.Len() > 1 {
				w.size.refused(p.bytes)
				w.sayOnce(p.d.stream, "the sink refuses deliveries for their size; they are split, and smaller from now on. To spare the link, lower its batch_bytes or max_packet_size", err)
			}
			if p.rows.Len() > 1 {
				a, b := p.split()
				w.turn = append([]planned{a, b}, w.turn[1:]...)
			} else {
				letters = w.bury(p, err)
				w.turn = w.turn[1:]
			}
			err = nil
		case edged.Limit:
			p.d.pass(p.rng.To.place(), p.rows.Len(), &p.d.rec.Dropped)
			w.meter.rows(p.d.stream, "dropped", p.rows.Len())
			w.sayOnce(p.d.stream, "rows are not kept: a configured limit is reached; they are counted as dropped", err)
			w.turn = w.turn[1:]
			err = nil
		}
	}
	more := split // what is left of the turn goes on at once: a sink that refuses much must not fall behind for it
	if len(w.turn) == 0 {
		turn, m, _, perr := w.plan(time.Now(), draining)
		if perr == nil {
			w.turn, more = turn, more || m
		}
	}
	if err == nil || done > 0 || receipt != nil {
		if cerr := w.commit(ctx, letters, more); cerr != nil {
			return cerr
		}
	}
	if err != nil {
		w.closeSink() // what a failed write left behind is looked at by Open
		return w.failed(ctx, err, draining)
	}
	return nil
}

// bury makes a dead letter of a row that the sink will never take. What the dead letters' own sink refuses is dropped.
func (w *Writer) bury(p planned, why error) []edged.Result {
	if p.d.stream == edged.DeadLetters {
		p.d.pass(p.rng.To.place(), p.rows.Len(), &p.d.rec.Dropped)
		w.meter.rows(p.d.stream, "dropped", p.rows.Len())
		return nil
	}
	var out []edged.Result
	for i := range p.rows.Len() {
		at, topic := time.Now().UnixNano(), ""
		for c, name := range p.rows.Names {
			switch v := p.rows.Row(i)[c]; {
			case (name == "time" || name == "window_start") && v.Kind() == edged.Time:
				at = v.Nanos()
			case name == "topic":
				topic = v.Str()
			}
		}
		row := encode.AppendNDJSON(nil, p.rows.Slice(i, i+1))
		out = append(out, deadletter.New(p.d.stream, w.o.Name, at, why.Error(), topic, row[:len(row)-1]))
	}
	w.sayOnce(p.d.stream, "a row was refused for good and became a dead letter", why)
	p.d.pass(p.rng.To.place(), p.rows.Len(), &p.d.rec.Dead)
	w.meter.rows(p.d.stream, "dead", p.rows.Len())
	return out
}

// holdFor is how long a sink that cannot work as configured waits before it is tried again: somebody may have corrected a
// token file or a server.
const holdFor = time.Minute

// failed waits after an error, by its class.
func (w *Writer) failed(ctx context.Context, err error, draining bool) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, edged.ErrStopped) { // the gateway itself: no outage
		if draining {
			return err
		}
		w.pause(ctx, time.Second)
		return nil
	}
	d, state := edged.AfterOf(err), "waiting"
	switch {
	case edged.ClassOf(err) == edged.Permanent:
		d, state = jitter(holdFor), "holding"
	case d == 0:
		d = w.backoff.NextBackOff()
	default:
		d = jitter(d)
	}
	w.ill(state, err, d)
	w.meter.failures.Inc()
	if draining {
		return err
	}
	w.pause(ctx, d)
	return nil
}

// jitter makes a wait up to an eighth longer, so that the gateways which a server has sent away do not come back in step.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/8+1) }

// pause waits, and meanwhile keeps the deliveries in order.
func (w *Writer) pause(ctx context.Context, d time.Duration) {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(w.o.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-tick.C:
			w.keep(ctx)
		}
	}
}

package batches

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"edged"
)

// ReplayOptions say what is given once more (docs/adr/0021-side-logs.md).
type ReplayOptions struct {
	Config   *StreamConfig
	Plan     *Plan
	Store    Store
	From, To time.Time // messages that arrived in [From, To); the zero To: all from From on
	End      uint64    // the entry before which it ends: where the stream itself stands
	Sinks    []string  // that the rows are for
	Entry    int       // bytes of rows that are appended at once, about
	Dry      bool      // nothing is appended
	// Wait is called before rows are appended, and waits until there is room for them. What it returns ends the replay.
	Wait func(context.Context) error
	Said func(Replayed) // called now and then; nil: nobody asks
	// Table is the table that the stream joins as it is now, for a time from before which none is stored; nil: it joins none.
	Table func() (*edged.Message, error)
}

// Replayed is what a replay has done.
type Replayed struct {
	Tried
	Given   uint64    `json:"given"`             // rows that are in the side log; of a dry one, that would be
	From    time.Time `json:"from,omitzero"`     // arrival of the first message that it took
	At      time.Time `json:"at,omitzero"`       // and of the last one
	Damaged int       `json:"damaged,omitempty"` // entries that cannot be read
}

// ErrFreed is the error of a replay whose blocks were freed before it came to them.
var ErrFreed = errors.New("what comes then was freed meanwhile: it is kept for store.keep, and given up first when room runs short")

// replay is a replay under way.
type replay struct {
	ReplayOptions
	ctx   context.Context
	trial *Trial
	rows  sideRows
	side  sideLog
	names []string
	did   Replayed
	ticks *edged.Tick    // the last one
	epoch uint32         // of the last message
	whole bool           // nothing before the next entry is missing
	table *edged.Message // that the stream joins, the last one before the first message
	rest  time.Time      // when it last rested
}

// Replay runs a stream over stored blocks, and appends the rows to its side log. It runs beside the stream, and changes nothing of it. When it ends early, what
// it has given by then stays, and the error says why.
func Replay(ctx context.Context, o ReplayOptions) (Replayed, error) {
	r := &replay{ReplayOptions: o, ctx: ctx, names: append(o.Plan.Names(), edged.Replay), rest: time.Now()}
	r.side = sideLog{s: o.Store, name: edged.SideLog(o.Plan.Name, edged.Replay), sinks: o.Sinks, only: true}
	r.rows = sideRows{log: r.side.name, sinks: o.Sinks}
	err := r.run()
	if r.trial != nil {
		r.did.Tried = r.trial.Tried()
	}
	return r.did, err
}

func (r *replay) run() error {
	seq, err := r.Store.Oldest()
	if err != nil {
		return err
	}
	r.whole = seq <= 1
	for r.ctx.Err() == nil && seq < r.End {
		e, ok, err := r.Store.Next(seq)
		if err != nil {
			return err
		}
		if !ok || e.Seq >= r.End {
			break
		}
		if e.Seq > seq {
			if err := r.gap(seq); err != nil {
				return err
			}
		}
		if err := r.entry(&e); err != nil {
			return err
		}
		seq = e.Seq + 1
		r.pause()
	}
	if r.ctx.Err() != nil || r.trial == nil {
		return r.ctx.Err()
	}
	if err := r.trial.End(r.until()); err != nil {
		return err
	}
	return r.give()
}

// gap is called where numbers are missing: blocks that were never on disk, or that were freed since it began.
func (r *replay) gap(seq uint64) error {
	switch oldest, err := r.Store.Oldest(); {
	case err != nil:
		return err
	case oldest <= seq:
		return nil
	}
	if r.trial != nil {
		return ErrFreed
	}
	r.whole = false
	return nil
}

// entry takes the messages of an entry that are the stream's, and of the time that is asked for.
func (r *replay) entry(e *edged.Entry) error {
	b := e.Block
	switch {
	case e.Err != nil:
		r.did.Damaged++
		return nil
	case e.Tick != nil:
		r.ticks, r.whole = e.Tick, r.whole || e.Tick.Newest().Time().Before(r.From)
		return nil
	case r.Plan.joinsTableOf(b.Receiver):
		return r.tables(b)
	case b.Cut.Time().Before(r.From):
		r.whole = true
		return nil
	}
	wanted := make([]bool, len(b.Topics))
	for i, t := range b.Topics {
		wanted[i] = r.Plan.Takes(b.Receiver, t)
	}
	for i := range b.Len() {
		at := time.Unix(0, b.Arrival[i]).UTC()
		if !wanted[b.Topic[i]] || at.Before(r.From) || !r.To.IsZero() && !at.Before(r.To) {
			continue
		}
		if r.trial == nil {
			if err := r.begin(e.Seq, at); err != nil {
				return err
			}
		}
		r.did.At, r.epoch = at, b.Cut.Epoch
		if err := r.trial.Add(takenFrom(b, i)); err != nil {
			return err
		}
	}
	return nil
}

func takenFrom(b *edged.Block, i int) *Taken {
	return &Taken{
		Message:  edged.Message{Topic: b.TopicOf(i), Payload: b.Payload(i), QoS: b.QoS(i), Retain: b.Retain(i)},
		Receiver: b.Receiver, At: edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[i]}, Trusted: b.Trusted, Block: b.Seq,
	}
}

// begin is called before the first message. Windows that begin before it are cut, unless nothing was before it.
func (r *replay) begin(seq uint64, at time.Time) (err error) {
	since := r.From
	if !r.whole {
		since = at
	}
	r.did.From = at
	if r.trial, err = NewTrial(r.Config, r.Plan, since, r.take); err != nil {
		return err
	}
	return r.join()
}

// until is the time up to which everything was read: that of the receivers at the last tick, and no later than what is asked for.
func (r *replay) until() time.Time {
	if r.ticks == nil {
		return time.Time{}
	}
	at := edged.Instant{Epoch: math.MaxUint32}
	for _, name := range r.Plan.from {
		cut, ok := r.ticks.Cut(name)
		if !ok {
			return time.Time{}
		}
		if cut.Before(at) {
			at = cut
		}
	}
	if at.Epoch > r.epoch { // the clock was set since: nothing more comes of that time
		if at.Wall = 1 << 62; r.Plan.time.field != nil {
			return time.Time{}
		}
	}
	if !r.To.IsZero() && at.Time().After(r.To) {
		return r.To
	}
	return at.Time()
}

// Stored is of which time a stream's messages are stored: from the arrival of the first one to the last tick. Anything at all is stored from begins on.
// ok is false if the stream has no message there.
func Stored(s Store, p *Plan) (begins, first, last time.Time, ok bool, err error) {
	if t := s.LastTick(); t != nil {
		last = t.Newest().Time()
	}
	seq, err := s.Oldest()
	for err == nil {
		var e edged.Entry
		if e, ok, err = s.Next(seq); !ok || err != nil {
			break
		}
		switch {
		case !begins.IsZero():
		case e.Block != nil:
			begins = time.Unix(0, e.Block.Arrival[0]).UTC()
		case e.Tick != nil:
			begins = e.Tick.Newest().Time()
		}
		if b := e.Block; b != nil && !p.joinsTableOf(b.Receiver) && slices.ContainsFunc(b.Topics, func(t string) bool { return p.Takes(b.Receiver, t) }) {
			return begins, time.Unix(0, b.Arrival[0]).UTC(), last, true, nil
		}
		seq = e.Seq + 1
	}
	return begins, first, last, false, err
}

package batches

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"edged"
)

// Trial runs one stream over messages from anywhere, and gives its rows to a function: nothing is delivered, and nothing is written. The stream is a
// real one; only its store is not. It holds what the stream remembers, and one block. It is used by one goroutine.
//
// The messages come in the order of a block log, which is that of time for each receiver, and nearly that of time for all of them. The ticks that the
// log had between them are made up: every receiver is taken to be slack behind the latest message, until the end.
type Trial struct {
	p     *Plan
	since time.Time
	store *dryStore
	s     *Stream
	feed  edged.Feed
	at    edged.Place // up to which rows were given
	rows  func(*edged.Rows) error
	to    []*Trial                 // streams that take from this one
	cuts  map[string]edged.Instant // how far those have come from which this one takes

	block  *edged.Block // being filled
	topics map[string]uint32
	of     uint64 // Taken.Block of its messages
	high   edged.Instant
	begun  bool

	read      uint64 // messages
	passed    uint64 // of them in blocks that the stream has taken
	rowsGiven uint64
	reasons   []string
}

// Taken is a message as a receiver took it.
type Taken struct {
	edged.Message
	Receiver string
	At       edged.Instant // its arrival
	Trusted  bool          // the wall clock was synchronised
	Block    uint64        // messages of one block have the same number; 0: it is not known
}

// Tried is what became of the messages.
type Tried struct {
	Counts
	Read    uint64   `json:"read"`              // messages
	Other   uint64   `json:"other"`             // of them of other receivers and topics
	Rows    uint64   `json:"rows"`              // given
	Reasons []string `json:"reasons,omitempty"` // of the first dead letters, each with its topic; no two are the same
}

// trialReasons is how many reasons of dead letters are kept.
const trialReasons = 5

// NewTrial begins a trial of a compiled stream. since says that there were messages before that time which are missing: windows that begin
// before it are marked as partial; the zero Time: there were none. rows is called for the rows as they come, which are valid until it returns; nil: nobody wants them.
func NewTrial(c *StreamConfig, p *Plan, since time.Time, rows func(*edged.Rows) error) (*Trial, error) {
	t := &Trial{p: p, since: since, store: newDryStore(), rows: rows, cuts: map[string]edged.Instant{}}
	oldest := *c
	oldest.Start, oldest.Late = "oldest", "" // late rows are counted, and not given
	t.s = New(Options{Config: &oldest, Plan: p, Store: t.store, Log: slog.New(slog.DiscardHandler), Checkpoint: math.MaxInt64})
	if err := t.s.open(context.Background()); err != nil {
		return nil, err
	}
	t.feed = t.s.Feed()
	t.at = t.feed.End()
	return t, nil
}

// step has the stream take what there is, gives what it gave, and forgets both.
func (t *Trial) step() error {
	if err := t.s.step(context.Background()); err != nil {
		return err
	}
	return t.give()
}

func (t *Trial) give() error {
	if err := t.pass(); err != nil {
		return err
	}
	for end := t.feed.End(); t.at != end; {
		r, err := t.feed.Read(t.at, end, edged.Limits{Rows: 1000, Bytes: 1 << 20})
		if err != nil {
			return err
		}
		if n := r.Rows.Len(); n > 0 {
			t.rowsGiven += uint64(n)
			if t.rows != nil {
				if err := t.rows(r.Rows); err != nil {
					return err
				}
			}
		}
		if r.To == t.at {
			break
		}
		t.at = r.To
	}
	t.noteDead()
	t.store.forget()
	return nil
}

// noteDead notes the reasons of dead letters.
func (t *Trial) noteDead() {
	if len(t.reasons) >= trialReasons {
		return
	}
	var r edged.Reading
	if readResults(t.store, edged.DeadLetters, "", &r, edged.Pos{Seq: t.store.ResultEnd(edged.DeadLetters)}, edged.Limits{Rows: 1000, Bytes: 1 << 20}) != nil {
		return
	}
	for i := range r.Rows.Len() {
		cell := func(name string) string { return r.Rows.Row(i)[slices.Index(r.Rows.Names, name)].Str() }
		reason := fmt.Sprintf("%s: %s", cell("topic"), cell("reason"))
		if len(t.reasons) < trialReasons && !slices.Contains(t.reasons, reason) {
			t.reasons = append(t.reasons, reason)
		}
	}
}

// End has the stream take the rest, and has every open window leave: those that end after until marked as partial; the zero Time is that of the latest
// message. It says what became of the messages.
func (t *Trial) End(until time.Time) error {
	if t.block != nil {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if !t.begun {
		return nil
	}
	if !until.IsZero() {
		t.high.Wall = max(t.high.Wall, until.UnixNano())
	}
	end := t.high
	if t.p.time.field != nil {
		end = end.Add(-trialSlack) // what counts is by how much time goes on, not where it is
	}
	clear(t.cuts) // there is nothing more to come
	t.tick(end)
	if err := t.step(); err != nil {
		return err
	}
	if t.s.st == nil {
		return nil
	}
	t.s.closeAll()
	t.s.produced()
	t.s.out.entryEnd(t.s.rec.applied, t.s.downstream())
	if t.s.out.chain != nil {
		t.s.out.chain.end(t.s.over())
	}
	if err := t.s.settle(context.Background(), false); err != nil {
		return err
	}
	return t.give()
}

// Tried says what has become of the messages so far.
func (t *Trial) Tried() Tried {
	c := t.s.rec.Counts
	other := t.passed - c.passed()
	return Tried{Counts: c, Read: t.read, Other: other, Rows: t.rowsGiven, Reasons: t.reasons}
}

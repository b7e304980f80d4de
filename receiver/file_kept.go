package receiver

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

const (
	saveEvery = time.Second
	maxDone   = 64 // files that were read to their end and are remembered, in case they come back
)

// kept is what the store keeps of a tail, and what it knows of files that are not open.
type kept struct {
	news   chan struct{} // of passed
	loaded bool
	first  bool    // nothing was saved for this path ever: Start decides
	places []place // of files that are not followed now

	durable bool   // something was saved since the receiver was made, or before
	saved   []byte // what the store has, or is about to have; nil if that is not known
	at      time.Time
	flight  chan error // of the save that is under way
	refused bool       // it was said that positions cannot be saved
}

func newKept() *kept { return &kept{news: make(chan struct{}, 1)} }

// load reads, once, what was saved. If it is damaged every file is read from its beginning: lines that come twice are better
// than lines that are missing.
func (k *kept) load(t *tail) {
	if k.loaded {
		return
	}
	k.loaded = true
	value, err := t.notes.Load(t.name)
	if err == nil && value == nil {
		k.first = true
		return
	}
	n := note{}
	if err == nil {
		n, err = decodeNote(value)
	}
	if err != nil {
		t.log.Warn("the positions in the files are lost: they are read from their beginnings, and lines come again", "path", t.Path, "error", err)
		return
	}
	k.places, k.first, k.saved = n.Files, n.Pattern != t.Path, value
	k.durable = !k.first
}

// begin saves, before the first line is read, where reading begins: a crash must not begin at the end again.
func (k *kept) begin(ctx context.Context, t *tail) error {
	if k.durable {
		return nil
	}
	if err := k.wait(ctx, t); err != nil {
		return fmt.Errorf("%s is not read yet, because the position in it cannot be saved: %w", t.Path, err)
	}
	k.durable = true
	return nil
}

// done remembers a file that was read to its end.
func (k *kept) done(p place) {
	k.places = append(k.places, p)
	for i := 0; len(k.places) > maxDone && i < len(k.places); {
		if k.places[i].Done {
			k.places = append(k.places[:i], k.places[i+1:]...)
		} else {
			i++
		}
	}
}

// note is what there is to save now.
func (t *tail) note() []byte {
	n := note{Pattern: t.Path}
	for _, s := range t.followed {
		n.Files = append(n.Files, s.place(false))
	}
	n.Files = append(n.Files, t.kept.places...)
	return n.encode()
}

// save hands over the positions if a second has passed since it did that last. It does not wait for the store.
func (t *tail) save() {
	k := t.kept
	if time.Since(k.at) < saveEvery {
		return
	}
	k.at = time.Now()
	if k.flight != nil {
		select {
		case err := <-k.flight:
			k.landed(t, err)
		default:
			return
		}
	}
	k.send(t, t.note())
}

// send begins to save value, unless the store has it.
func (k *kept) send(t *tail, value []byte) {
	if bytes.Equal(value, k.saved) {
		return
	}
	flight := make(chan error, 1)
	k.flight, k.saved = flight, value
	t.notes.Save(t.name, value, func(err error) { flight <- err })
}

func (k *kept) landed(t *tail, err error) {
	k.flight = nil
	if err != nil {
		k.saved = nil
		if !k.refused {
			t.log.Warn("the positions in the files cannot be saved: after a crash more lines would come again; it is tried every second", "path", t.Path, "error", err)
		}
	}
	k.refused = err != nil
}

// wait saves the positions as they are now, and returns when the store has them.
func (k *kept) wait(ctx context.Context, t *tail) error {
	for range 2 { // what is under way, and what is true now
		k.at = time.Now()
		if k.flight == nil {
			k.send(t, t.note())
		}
		if k.flight == nil {
			return nil
		}
		select {
		case err := <-k.flight:
			k.landed(t, err)
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// finish saves the positions at the stop, and remembers them for the next Run.
func (k *kept) finish(t *tail) {
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	err := k.wait(ctx, t)
	for _, s := range t.followed {
		k.places = append(k.places, s.place(false))
	}
	if err != nil && !k.refused {
		t.log.Warn("the positions in the files could not be saved before the stop: lines of the last second come again", "path", t.Path, "error", err)
	}
}

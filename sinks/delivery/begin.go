package delivery

import (
	"context"
	"time"

	"edged"
)

// begin opens the deliveries whose streams are open, and reads the turn that was under way. It waits for a first one, and for
// those that have a part in that turn; the others come later, so that a stream which cannot open holds back nobody else.
func (w *Writer) begin(ctx context.Context) error {
	since := time.Now()
	for {
		err := w.openFirst()
		if err == nil {
			if time.Since(since) > slowOpen {
				w.well()
			}
			return w.hold(ctx)
		}
		if edged.ClassOf(err) == edged.Permanent {
			return err
		}
		if time.Since(since) > slowOpen {
			w.ill("waiting", err, 0)
		}
		w.came()
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// slowOpen is how long a stream may take to open before its sink says that it waits for it.
const slowOpen = 5 * time.Second

func (w *Writer) openFirst() error {
	w.rec = sinkRecord{}
	if c, ok := w.o.Store.Cursor(sinkCursor(w.o.Name)); ok && !c.Lost { // lost: as if it had never written
		if err := readJSON(c, &w.rec); err != nil {
			return edged.WithClass(err, edged.Permanent)
		}
	}
	known, missing := w.openSome()
	for _, g := range w.rec.Turn {
		if d := w.find(g.Stream); d != nil && !d.known {
			return missing
		}
	}
	if known == 0 {
		return missing
	}
	turn, err := w.restore(w.rec.Turn)
	if err != nil {
		return err
	}
	w.turn, w.committed = turn, len(turn) == len(w.rec.Turn)
	for i, p := range turn {
		w.committed = w.committed && p.rng == w.rec.Turn[i]
	}
	return nil
}

// openSome opens deliveries that are not open. It returns how many are, and why one is not.
func (w *Writer) openSome() (known int, missing error) {
	for _, d := range w.deliveries {
		if !d.known {
			if err := d.open(w.o.Store); err != nil {
				missing = err
				continue
			}
		}
		known++
	}
	return known, missing
}

// hold commits the cursors of deliveries that the store does not know, or has lost, so that it keeps the log for them from now on,
// whenever their sink can be opened.
func (w *Writer) hold(ctx context.Context) error {
	for _, d := range w.deliveries {
		if c, ok := w.o.Store.Cursor(d.name); d.known && (!ok || c.Lost) {
			return w.commit(ctx, nil, false)
		}
	}
	return nil
}

// openLate opens deliveries whose streams opened later than the sink.
func (w *Writer) openLate(ctx context.Context) error {
	late := false
	for _, d := range w.deliveries {
		late = late || !d.known
	}
	if !late {
		return nil
	}
	if _, err := w.openSome(); edged.ClassOf(err) == edged.Permanent {
		w.sayOnce("", "a stream's delivery cannot be opened; the others go on", err)
	}
	return w.hold(ctx)
}

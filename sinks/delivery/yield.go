package delivery

import "edged"

// A store can be full before a delivery has reached its max_pending: several of them hold different logs, or the disk has less than max_bytes. Then those
// that may lose rows give way, so that everything else goes on: the ones that hold most of what nobody else needs, and no more than the store lacks. What
// they hold of little they keep: it would not help, and sinks that are well always hold a little.
const yieldLeast = 8 // the part of the store's lack that a delivery must hold for it to give way

// excess is what a delivery has to give up: down to so many bytes of these needs of its. ok is false if it may keep everything.
func (w *Writer) excess(d *Delivery, c edged.Cursor) (of edged.Spans, down int64, ok bool) {
	if w.o.Store.Pending(c.Log, c.Need) > d.max {
		return c.Need, d.max, true
	}
	lack := w.o.Store.Lack()
	if lack <= 0 {
		return nil, 0, false
	}
	cursors := w.o.Store.Cursors()
	of = w.alone(c, cursors)
	held := w.o.Store.Pending(c.Log, of)
	if held < lack/yieldLeast {
		return nil, 0, false
	}
	for _, o := range cursors {
		if o.Name != d.name && w.yields(o.Name) && w.o.Store.Pending(o.Log, w.alone(o, cursors))/2 > held {
			return nil, 0, false
		}
	}
	return of, max(held-lack, held/2), true
}

// alone is what of a cursor's needs no cursor needs that does not give way.
func (w *Writer) alone(c edged.Cursor, cursors []edged.Cursor) edged.Spans {
	need := c.Need
	for _, o := range cursors {
		if o.Log == c.Log && o.Name != c.Name && !w.yields(o.Name) {
			for _, sp := range o.Need {
				need = need.Remove(sp.From, sp.To)
			}
		}
	}
	return need
}

// yields reports whether a cursor is of a delivery that may lose rows.
func (w *Writer) yields(cursor string) bool {
	for _, d := range w.deliveries {
		if d.name == cursor {
			return d.whenFull != "block"
		}
	}
	return w.o.Yields != nil && w.o.Yields(cursor)
}

package delivery

import "edged"

// offer lets cursors that moved over nothing ride with the next commit.
func (w *Writer) offer() {
	var riding []edged.Cursor
	for _, d := range w.deliveries {
		if d.moved {
			riding = append(riding, d.rec.cursor(d.name))
		}
	}
	w.mu.Lock()
	w.riding = riding
	w.mu.Unlock()
}

// Ride implements edged.Rider.
func (w *Writer) Ride(u *edged.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.riding {
		if now, ok := w.o.Store.Cursor(c.Name); !ok || string(now.Data) != string(c.Data) {
			u.Cursors = append(u.Cursors, c)
		}
	}
}

// Waits implements edged.Rider: a sink waits for no time.
func (w *Writer) Waits() (edged.Wait, bool) { return edged.Wait{}, false }

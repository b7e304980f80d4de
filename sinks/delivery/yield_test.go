package delivery

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"
)

// A delivery that may lose rows gives way when the store is full before its max_pending, and counts what it loses; it keeps what others hold anyway, and what
// would not help.
func TestGivingWay(t *testing.T) {
	for name, c := range map[string]struct {
		whenFull string
		other    edged.Spans // what another cursor of the log needs
		yields   bool        // so does that one
		room     int64
		dropped  bool
	}{
		"oldest":                    {whenFull: "drop_oldest", room: 1000, dropped: true},
		"newest":                    {whenFull: "drop_newest", room: 1000, dropped: true},
		"block":                     {whenFull: "block", room: 1000},
		"there is room":             {whenFull: "drop_oldest", room: 10_000},
		"another one holds it":      {whenFull: "drop_oldest", other: edged.SpansFrom(1), room: 1000},
		"another one yields, too":   {whenFull: "drop_oldest", other: edged.SpansFrom(1), yields: true, room: 1000, dropped: true},
		"another one holds the end": {whenFull: "drop_oldest", other: edged.SpansFrom(400), room: 1000, dropped: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemStore()
				m.room = c.room
				if c.other != nil {
					m.cursors["other"] = edged.Cursor{Name: "other", Need: c.other}
				}
				f := newNumbers(m, "s")
				s := spec1("s", f)
				s.WhenFull = c.whenFull
				w := newWriter(m, &logSink{before: func([]edged.Delivery) (int, error) { return 0, errors.New("down") }}, spec.Limits{Rows: 3, Bytes: 1 << 20}, s)
				w.o.Yields = func(cursor string) bool { return cursor == "other" && c.yields }
				run(t, w, func() {
					for i := range uint64(500) {
						f.grow(i + 1)
						nap(time.Second)
					}
					r := m.record(t, "s", "sink")
					if dropped := r.Dropped > 0; dropped != c.dropped {
						t.Errorf("%+v: %d rows were dropped", c, r.Dropped)
					}
					if c.dropped && c.other == nil && m.Lack() > 100 {
						t.Errorf("%d bytes are still lacking", m.Lack())
					}
				})
			})
		})
	}
}

// The delivery that holds most gives way, not one that holds a little.
func TestWhoHoldsMostGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		m.room = 1000
		m.cursors["other"] = edged.Cursor{Name: "other", Log: "large", Need: edged.SpansFrom(0)}
		m.ends["large"] = 400
		f := newNumbers(m, "s")
		s := spec1("s", f)
		s.WhenFull = "drop_oldest"
		w := newWriter(m, &logSink{before: func([]edged.Delivery) (int, error) { return 0, errors.New("down") }}, spec.Limits{Rows: 3, Bytes: 1 << 20}, s)
		w.o.Yields = func(cursor string) bool { return cursor == "other" }
		run(t, w, func() {
			f.grow(100)
			nap(10 * time.Second)
			if r := m.record(t, "s", "sink"); r.Dropped != 0 {
				t.Errorf("%d rows were dropped, and another one holds four times as much", r.Dropped)
			}
			f.grow(300)
			nap(10 * time.Second)
			if r := m.record(t, "s", "sink"); r.Dropped == 0 {
				t.Error("it holds as much, and dropped nothing")
			}
		})
	})
}

package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/sinks/spec"
)

// A delivery whose cursor is lost begins with the oldest row that is kept, though it is configured to begin with the newest; a stream whose
// counts begin anew is counted by from there. The ledger balances.
func TestALostDeliveryBeginsWithTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		f.grow(20)
		for _, name := range []string{edged.DeliveryCursor("s", "sink"), sinkCursor("sink")} {
			m.cursors[name] = edged.Cursor{Name: name, Need: edged.SpansFrom(0), Lost: true}
		}
		s := spec1("s", f)
		s.Start = "now"
		w := newWriter(m, &logSink{}, spec.Limits{Rows: 5, Bytes: 1 << 20}, s)
		run(t, w, func() { nap(5 * time.Second) })
		if r := m.record(t, "s", "sink"); r.Delivered != f.Produced() || r.At.place() != f.End() {
			t.Errorf("%+v, produced %d", r, f.Produced())
		}
		if c, _ := m.Cursor(sinkCursor("sink")); c.Lost {
			t.Error("the sink's cursor still counts as lost")
		}
	})
}

func TestAStreamThatCountsAnewIsCountedFromThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemStore()
		f := newNumbers(m, "s")
		f.grow(20)
		w := newWriter(m, &logSink{}, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
		run(t, w, func() { nap(5 * time.Second) })
		before := m.record(t, "s", "sink").Delivered
		again := &anew{numbers: f, base: f.Produced()}
		f.life = 7
		w = newWriter(m, &logSink{}, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", again))
		run(t, w, func() {
			f.grow(40)
			nap(5 * time.Second)
		})
		st, _ := w.Status()
		if r := m.record(t, "s", "sink"); r.Delivered != before+again.Produced() || r.Life != 7 || !st[0].Balanced || st[0].Pending != 0 {
			t.Errorf("%+v, before %d, then %d; %+v", r, before, again.Produced(), st)
		}
	})
}

// The stream's cursor is an older copy, and results that the delivery has passed are gone: the stream gives them again, as new ones, and may have given some when the delivery opens.
// They are delivered, and the count comes out.
func TestAStreamThatGivesAgainIsCountedFromThere(t *testing.T) {
	for _, already := range []uint64{20, 22, 30} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemStore()
			f := newNumbers(m, "s")
			f.grow(20)
			w := newWriter(m, &logSink{}, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", f))
			run(t, w, func() { nap(5 * time.Second) })
			before := m.record(t, "s", "sink").Delivered
			again := &anew{numbers: f, base: 8, resumed: f.Produced() - 8}
			f.grow(already)
			w = newWriter(m, &logSink{}, spec.Limits{Rows: 5, Bytes: 1 << 20}, spec1("s", again))
			run(t, w, func() {
				nap(5 * time.Second)
				if st, _ := w.Status(); !st[0].Balanced || st[0].Pending != 0 {
					t.Errorf("when it has opened: %+v", st)
				}
				f.grow(40)
				nap(5 * time.Second)
			})
			st, _ := w.Status()
			if r := m.record(t, "s", "sink"); r.Delivered != f.Produced() || r.Delivered <= before || !st[0].Balanced || st[0].Pending != 0 {
				t.Errorf("%+v, before %d; %+v", r, before, st)
			}
		})
	}
}

// anew is a feed whose stream has begun to count anew.
type anew struct {
	*numbers
	base, resumed uint64
}

func (a *anew) Resumed() uint64  { return a.resumed }
func (a *anew) Produced() uint64 { return a.numbers.Produced() - a.base }

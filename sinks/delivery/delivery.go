package delivery

import (
	"fmt"
	"time"

	"edged"
)

// Delivery is one (stream, sink) pair. Its writer owns it.
type Delivery struct {
	stream   string
	name     string // of its cursor
	feed     edged.Feed
	start    string
	whenFull string
	max      int64  // max_pending, bytes
	seldom   bool   // see DeliverySpec
	looked   uint64 // of a seldom one: entries before it were looked through for those that have no row for this sink
	known    bool
	rec      record
	since    time.Time // when rows that wait were first noticed; zero if none wait
	moved    bool      // rec is not committed
}

// DeliverySpec says what a delivery is to be.
type DeliverySpec struct {
	Stream     string
	Feed       edged.Feed
	Start      string // of a new one: oldest or now
	MaxPending int64  // bytes of log
	WhenFull   string // block, drop_oldest, drop_newest
	Seldom     bool   // its feed may never open: it is not shown before
}

func newDelivery(sink string, s DeliverySpec) *Delivery {
	return &Delivery{stream: s.Stream, name: edged.DeliveryCursor(s.Stream, sink), feed: s.Feed, start: s.Start, whenFull: s.WhenFull, max: s.MaxPending, seldom: s.Seldom}
}

// open puts the delivery where the store says it was, or begins it. It fails while its stream has not opened yet.
func (d *Delivery) open(s Store) error {
	produced, end := d.feed.Produced(), d.feed.End()
	if end == (edged.Place{}) {
		return fmt.Errorf("stream %s is not open yet", d.stream)
	}
	lost := false
	if c, ok := s.Cursor(d.name); ok && c.Lost {
		lost = true
	} else if ok {
		rec, err := readRecord(c)
		if err != nil {
			return edged.WithClass(err, edged.Permanent)
		}
		d.rec, d.known = rec, true
		d.moved = rec.Max != d.max
		d.rec.Max = d.max
		if life := d.feed.Life(); life != rec.Life || int64(rec.Old+d.feed.Resumed()-rec.Base-rec.passed()) < 0 {
			d.rebase(produced, end, life)
		}
		return nil
	}
	d.rec = record{At: toPlace(end), Born: toPlace(end), Base: produced, Max: d.max, Life: d.feed.Life()}
	if d.start != "now" || lost {
		oldest, err := d.feed.Oldest()
		if err != nil {
			return err
		}
		d.rec.At = toPlace(oldest)
		d.rec.Young = oldest != end
	}
	d.known, d.moved = true, true
	return nil
}

// rebase has the stream's count hold from here on: it began anew. Rows before are counted as they are passed.
func (d *Delivery) rebase(produced uint64, end edged.Place, life uint64) {
	d.rec.Old, d.rec.Base, d.rec.Born, d.rec.Life = d.rec.passed(), produced, toPlace(end), life
	d.rec.Young = !d.rec.born(d.rec.At.place())
	d.moved = true
}

// read reads what comes after a place, over skipped entries and no further than the stream's birth while it is young.
func (d *Delivery) read(from edged.Place, limits edged.Limits) (edged.Reading, error) {
	return d.readTo(from, edged.Place{}, limits)
}

// readTo is read, no further than until, if that is given.
func (d *Delivery) readTo(from, until edged.Place, limits edged.Limits) (edged.Reading, error) {
	if until == (edged.Place{}) && d.rec.Young && !d.rec.born(from) {
		until = d.rec.Born.place()
	}
	begin := from
	if from.Log == d.rec.At.Log {
		for _, sp := range d.rec.Skip {
			if from.Seq >= sp.From && from.Seq < sp.To {
				from = edged.Place{Log: from.Log, Pos: edged.Pos{Seq: sp.To}}
			}
			if sp.From > from.Seq {
				if stop := (edged.Place{Log: from.Log, Pos: edged.Pos{Seq: sp.From}}); until == (edged.Place{}) || until.Log == from.Log && stop.Before(until.Pos) {
					until = stop
				}
				break
			}
		}
	}
	r, err := d.feed.Read(from, until, limits)
	r.From = begin // skipped entries in front belong to the reading, so that readings touch
	if err == nil && until != (edged.Place{}) && r.To == until {
		r.More = true // what is behind the skipped entries, or the birth
	}
	return r, err
}

// pass moves the delivery over rows that became something: count is one of its counters.
func (d *Delivery) pass(to edged.Place, rows int, count *uint64) {
	if count != nil {
		*count += uint64(rows)
	}
	if d.rec.Young && !d.rec.after(to) {
		d.rec.Old += uint64(rows)
	}
	if to.Log != d.rec.At.Log {
		d.rec.Skip = nil
	}
	d.rec.At = toPlace(to)
	for len(d.rec.Skip) > 0 && d.rec.Skip[0].From <= to.Seq {
		sp := d.rec.Skip[0]
		if to.Seq < sp.To {
			d.rec.At = place{Log: to.Log, Seq: sp.To}
		}
		d.rec.Skip = d.rec.Skip[1:]
	}
	if d.rec.born(d.rec.At.place()) {
		d.rec.Young = false
	}
	d.moved = true
}

// produced is the number of rows that the delivery must come to.
func (r *record) produced(f edged.Feed) uint64 { return r.Old + f.Produced() - r.Base }

// settle counts what is missing at rest: it was in entries that could not be read.
func (d *Delivery) settle() {
	before := d.rec.produced(d.feed)
	if d.rec.Young || d.rec.At.place() != d.feed.End() || d.rec.produced(d.feed) != before {
		return
	}
	if passed := d.rec.passed(); before > passed {
		d.rec.Damaged += before - passed
		d.moved = true
	}
}

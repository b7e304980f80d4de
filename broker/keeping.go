package broker

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"edged"
	"edged/broker/record"
)

// Store is where sessions are kept: the block log, and values beside it. Its methods are those of the block store.
type Store interface {
	// End is the position after the newest entry of the log.
	End() uint64
	// Next returns the first entry at or after a position, or false if there is none.
	Next(seq uint64) (edged.Entry, bool, error)
	Values(space string, each func(key string, value []byte, err error) error) error
	Cursor(name string) (edged.Cursor, bool)
	// Pending is how many bytes of the log are held for what is needed.
	Pending(log string, need edged.Spans) int64
	// Submit hands over an update, and has done called from another goroutine when it is durable or cannot be.
	Submit(u *edged.Update, soon bool, done func(error))
	Waiting() // somebody waits for an acknowledgement
}

const (
	// sessionsHold is how much of the log is held for sessions that are behind. What they still want of it is copied then.
	sessionsHold = 8 << 20
	// copiedAtOnce bounds what one commit copies.
	copiedAtOnce = 256 << 10
	// agedAfter is how often it is written down for how long a session has been away.
	agedAfter = time.Hour
)

// keeping keeps sessions on disk (docs/adr/0014-sessions.md). What need not be durable at once rides along with commits.
type keeping struct {
	b     *Broker
	store Store // nil: nothing is kept

	mu    sync.Mutex // over sessions.mu
	rode  []edged.Put
	marks record.Marks
	hold  uint64    // the log is held from there; math.MaxUint64: not at all
	wrote time.Time // the cursor
	asked time.Time // how much is held

	numbers atomic.Uint32 // of letters with a form of their own: the last one

	later struct {
		sync.Mutex // under every other
		puts       []edged.Put
	}
}

const (
	cursorEvery = 5 * time.Second // it is written if it has moved
	askedEvery  = time.Second
)

// put has a put go with the next commit that happens anyway.
func (k *keeping) put(space, key string, value []byte) {
	k.later.Lock()
	k.later.puts = append(k.later.puts, edged.Put{Space: space, Key: key, Value: value})
	k.later.Unlock()
}

// submit makes puts durable, and has then called when they are, from another goroutine. While there is no room it is tried again.
func (k *keeping) submit(puts []edged.Put, then func()) {
	k.store.Submit(&edged.Update{Puts: puts}, false, func(err error) {
		switch {
		case err == nil:
			then()
		case k.b.in.Stopping():
		default:
			time.AfterFunc(time.Second, func() { k.submit(puts, then) })
		}
	})
	k.store.Waiting()
}

// Release implements intake.Memory.
func (k *keeping) Release(client string, id uint16, done func(error)) {
	o := edged.Origin{Client: client, PacketID: id}
	k.store.Submit(&edged.Update{Puts: []edged.Put{{Space: edged.SpaceReceived, Key: o.Key()}}}, false, done)
	k.store.Waiting()
}

// Waits implements edged.Rider: sessions wait for no time.
func (b *Broker) Waits() (edged.Wait, bool) { return edged.Wait{}, false }

// Ride implements edged.Rider: it adds where the sessions stand, if that has changed.
func (b *Broker) Ride(u *edged.Update) {
	if b.keeping.store != nil {
		b.keeping.ride(u)
	}
}

func (k *keeping) ride(u *edged.Update) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	w := &writing{now: now, low: k.b.low.mark(), room: copiedAtOnce}
	if k.hold < w.low && now.Sub(k.asked) >= askedEvery {
		k.asked = now
		w.lagging = k.store.Pending("", edged.Spans{{From: k.hold, To: w.low}}) > sessionsHold
	}
	w.hold = w.low
	k.b.sessions.each(func(s *session) { s.write(w) })
	if w.sessions == 0 {
		w.hold = math.MaxUint64
	}
	puts := append(k.lost(), w.puts...)
	moved := w.moved || w.lagging || (w.hold == math.MaxUint64) != (k.hold == math.MaxUint64) || w.hold != k.hold && now.Sub(k.wrote) >= cursorEvery
	if len(puts) == 0 && !moved {
		return
	}
	k.rode, k.hold, k.wrote = puts, w.hold, now
	k.marks = record.Marks{Number: k.marks.Number + 1, Mark: w.low}
	u.Puts = append(u.Puts, puts...)
	c := edged.Cursor{Name: record.Cursor, Data: k.marks.Append(nil)}
	if w.hold != math.MaxUint64 {
		c.Need = edged.SpansFrom(w.hold)
	}
	u.Cursors = append(u.Cursors, c)
}

// letGo asks for a commit when too much of the log is held: it is let go of in one. When the store is full nothing else may ask for any, because what
// would is waiting for room. It is called once a second.
func (k *keeping) letGo() {
	if k.store == nil {
		return
	}
	low := k.b.low.mark()
	k.mu.Lock()
	hold := k.hold
	k.mu.Unlock()
	if hold < low && k.store.Pending("", edged.Spans{{From: hold, To: low}}) > sessionsHold {
		nothing := edged.Put{Space: record.Sessions, Key: "\x00"} // no client has that identifier
		k.store.Submit(&edged.Update{Puts: []edged.Put{nothing}}, true, func(error) {})
	}
}

// lost is what is to be written again, because the commit with which it rode has failed, and what has come to it since.
func (k *keeping) lost() (puts []edged.Put) {
	if len(k.rode) > 0 {
		c, _ := k.store.Cursor(record.Cursor)
		if m, err := record.ParseMarks(c.Data); err != nil || m.Number != k.marks.Number {
			puts = k.rode
		}
		k.rode = nil
	}
	k.later.Lock()
	defer k.later.Unlock()
	puts = append(puts, k.later.puts...)
	k.later.puts = nil
	return puts
}

// save writes where the sessions stand, and returns when that is durable or ctx has ended.
func (k *keeping) save(ctx context.Context) {
	if k.store == nil {
		return
	}
	u, saved := &edged.Update{}, make(chan struct{})
	k.b.sessions.each(func(s *session) { s.out.touch() })
	if k.ride(u); u.Empty() {
		return
	}
	k.store.Submit(u, true, func(error) { close(saved) })
	select {
	case <-saved:
	case <-ctx.Done():
	}
}

// writing is one update of the sessions.
type writing struct {
	now     time.Time
	low     uint64 // the low water: the mark of sessions for which nothing waits
	lagging bool   // too much of the log is held: letters are copied
	room    int    // bytes that may be copied

	puts     []edged.Put
	sessions int    // that are kept
	hold     uint64 // the lowest place that is needed
	moved    bool   // something has changed
}

func (w *writing) put(space, key string, value []byte) {
	w.puts = append(w.puts, edged.Put{Space: space, Key: key, Value: value})
}

// write adds what has changed of a session that is kept. It is called with sessions.mu.
func (s *session) write(w *writing) {
	if !s.kept {
		return
	}
	w.sessions++
	away := s.aged(w.now)
	if away-s.onDisk.away >= agedAfter {
		s.out.touch()
	}
	state, changed := s.out.stand(w)
	if !changed {
		return
	}
	w.moved = true
	if text := s.record(away, state); string(text) != string(s.onDisk.text) {
		s.onDisk.text, s.onDisk.away = text, away
		w.put(record.Sessions, s.id, text)
	}
}

// record is the session as it is written, with an outbox that stands like state.
func (s *session) record(away time.Duration, state standing) []byte {
	r := record.Session{User: s.user, Keep: int64(s.keep / time.Second), Away: int64(away / time.Second), Flights: state.flights}
	if state.mark.Seq > 0 {
		r.Mark = &state.mark
	}
	return r.Append(nil)
}

// aged is for how long the session has been away, while edged ran.
func (s *session) aged(now time.Time) time.Duration {
	if s.conn != nil {
		return 0
	}
	return now.Sub(s.away)
}

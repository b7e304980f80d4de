package broker

import (
	"context"
	"math"
	"slices"
	"time"

	"edged"
	"edged/broker/record"
)

// Waits implements edged.Rider: sessions wait for no time.
func (b *Broker) Waits() (edged.Wait, bool) { return edged.Wait{}, false }

// Ride implements edged.Rider: it adds where the sessions stand, if that has changed.
func (b *Broker) Ride(u *edged.Update) {
	if b.keeping.store != nil {
		b.keeping.ride(u, false)
	}
}

// save writes where the sessions stand for the last time, and returns when that is durable or ctx has ended.
func (k *keeping) save(ctx context.Context) {
	if k.store == nil {
		return
	}
	u, saved := &edged.Update{}, make(chan struct{})
	k.b.sessions.each(func(s *session) { s.out.touch() })
	if k.ride(u, true); u.Empty() {
		return
	}
	k.store.Submit(u, true, func(error) { close(saved) })
	select {
	case <-saved:
	case <-ctx.Done():
	}
}

// ride adds to u what the sessions have to write, if it is time. last: it is, and for the last time.
func (k *keeping) ride(u *edged.Update, last bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, failed := time.Now(), k.failed()
	if k.over || !last && !failed && !k.soon.Load() && now.Sub(k.rides) < k.every {
		return
	}
	k.soon.Store(false)
	k.rides, k.over = now, last
	w := &writing{now: now, low: k.b.low.mark(), room: copiedAtOnce}
	w.hold, w.copyTo = w.low, k.copyTo(w)
	puts := k.collect(w, failed)
	moved := len(puts) > 0 || failed || w.moved || (w.hold == math.MaxUint64) != (k.hold == math.MaxUint64) ||
		w.hold != k.hold && now.Sub(k.wrote) >= cursorEvery
	if k.riding = moved; !moved {
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

// failed reports whether the commit of the last ride has failed. What it held must ride again then.
func (k *keeping) failed() bool {
	if !k.riding {
		return false
	}
	c, _ := k.store.Cursor(record.Cursor)
	if m, err := record.ParseMarks(c.Data); err != nil || m.Number != k.marks.Number {
		return true
	}
	k.riding, k.rode = false, nil
	k.later.Lock()
	k.later.open, k.later.since = false, nil
	k.later.Unlock()
	return false
}

// copyTo is the place before which letters are to be copied because too much of the log is held; 0 if it is not. It is in the middle
// of what is held: those who keep up have their letters behind it.
func (k *keeping) copyTo(w *writing) uint64 {
	if k.hold >= w.low || k.store.Pending("", edged.Spans{{From: k.hold, To: w.low}}) <= k.most {
		return 0
	}
	k.soon.Store(true) // until it is enough
	return k.hold + (w.low-k.hold+1)/2
}

// collect returns what is to be written: what rode in vain, then what has come since, then where the sessions stand.
func (k *keeping) collect(w *writing, failed bool) (puts []edged.Put) {
	ss := &k.b.sessions
	ss.mu.Lock()
	defer ss.mu.Unlock()
	k.later.Lock()
	if failed {
		puts = stillNew(k.rode, k.later.since)
	}
	puts = append(puts, k.later.puts...)
	k.later.puts, k.later.open, k.later.since = nil, true, nil
	k.later.Unlock()
	for _, s := range ss.byID {
		s.write(w)
	}
	if w.sessions == 0 {
		w.hold = math.MaxUint64
	}
	return append(puts, w.puts...)
}

// stillNew returns the last of the puts of each key, without those of keys that were submitted since.
func stillNew(puts, since []edged.Put) (out []edged.Put) {
	type key struct{ space, key string }
	seen := map[key]bool{}
	for _, p := range since {
		seen[key{p.Space, p.Key}] = true
	}
	for _, p := range slices.Backward(puts) {
		if id := (key{p.Space, p.Key}); !seen[id] {
			seen[id] = true
			out = append(out, p)
		}
	}
	slices.Reverse(out)
	return out
}

// writing is one ride.
type writing struct {
	now    time.Time
	low    uint64 // the low water: no mark passes it; and the mark of sessions for which nothing waits
	copyTo uint64 // letters before it are copied
	room   int    // bytes that may be copied

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

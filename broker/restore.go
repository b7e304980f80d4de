package broker

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"edged"
	"edged/broker/record"
	"edged/internal/topic"
)

// restoring is the sessions as they are read at the start: what is on disk, and then what the log has since.
type restoring struct {
	k      *keeping
	by     map[string]*restored
	under  map[record.Ref][]*restored // who had the letter at a place of the log under way
	shared map[sharedLetter]bool      // what a member of a shared subscription has written down
	erase  []edged.Put                // what is nobody's
}

// sharedLetter is the letter of a group that it gets of the message at a place.
type sharedLetter struct {
	at    edged.Pos
	share string
}

var errNobodys = errors.New("it belongs to no session")

// load reads the sessions. What cannot be read is counted and said; the rest is there.
func (k *keeping) load() error {
	k.hold = math.MaxUint64
	if k.store == nil {
		return nil
	}
	r := &restoring{k: k, by: map[string]*restored{}, under: map[record.Ref][]*restored{}, shared: map[sharedLetter]bool{}}
	if c, ok := k.store.Cursor(record.Cursor); ok {
		if len(c.Need) > 0 {
			k.hold = c.Need[0].From
		}
		m, err := record.ParseMarks(c.Data)
		if err != nil {
			k.unreadable("the cursor of the sessions", err)
			m.Mark = k.hold // what is owed at most
		}
		m.Mark = min(m.Mark, k.store.End()) // the log may be shorter than it was: a damaged store was mended
		k.marks = m
	} // else there are no sessions, or it is lost, and everything that is still there is owed
	for _, s := range []struct {
		space string
		one   func(client, rest string, value []byte, err error) error
	}{
		{record.Sessions, r.session}, {record.Subscriptions, r.subscription}, {record.Inflight, r.half}, {record.Queues, r.letter},
	} {
		err := k.store.Values(s.space, func(key string, value []byte, err error) error {
			client, rest, _ := record.Split(key)
			if client == "" { // it stands for values that are gone
				k.unreadable("values of "+s.space, err)
				return nil
			}
			if werr := s.one(client, rest, value, err); werr != nil {
				k.unreadable(fmt.Sprintf("%q of %s", key, s.space), werr)
			}
			if r.by[client] == nil {
				r.erase = append(r.erase, edged.Put{Space: s.space, Key: key})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("broker: cannot load sessions: %w", err)
		}
	}
	if err := r.received(); err != nil {
		return fmt.Errorf("broker: cannot load sessions: %w", err)
	}
	for _, s := range r.by {
		for _, q := range s.queue {
			s.take(q, false)
		}
	}
	if err := r.replay(); err != nil {
		return err
	}
	for _, s := range r.by {
		s.giveUp()
		s.out.touched = true
	}
	k.erase(r.erase)
	return nil
}

func (k *keeping) unreadable(what string, err error) {
	k.b.met.badSessions.Inc()
	k.b.seldom.Warn("sessions", "broker: a part of the stored sessions cannot be read and is passed over; its client may miss messages, or get some twice", "what", what, "error", err)
}

func (r *restoring) session(client, _ string, value []byte, err error) error {
	var rec record.Session
	if err == nil {
		rec, err = record.ParseSession(value)
	}
	limit := r.k.b.cfg.SessionExpiry.D()
	if err != nil { // it is kept for as long as possible; users with a name do not get it
		rec = record.Session{Keep: int64(limit / time.Second), Mark: &record.Ref{Seq: min(r.k.hold, r.k.marks.Mark)}}
	}
	b := r.k.b
	s := &restored{flights: map[record.Ref]record.Half{}, qos1: map[record.Ref]bool{}, mark: record.Ref{Seq: r.k.marks.Mark}, online: err == nil && rec.Away == 0}
	s.session = b.sessions.create(client, rec.User, true)
	away := time.Duration(rec.Away) * time.Second
	s.keep, s.away = min(time.Duration(rec.Keep)*time.Second, limit), time.Now().Add(-away)
	s.onDisk.text, s.onDisk.away = slices.Clone(value), away
	if rec.Mark != nil {
		s.mark = *rec.Mark
		s.mark.Seq = min(s.mark.Seq, r.k.store.End())
	}
	for _, f := range rec.Flights {
		s.flights[f.Ref], s.qos1[f.Ref] = record.Half{ID: f.ID}, true
		r.underWay(s, f.Ref)
	}
	s.profile.Store(b.access.profile(s.user, s.id))
	r.by[client] = s
	return err
}

// underWay notes that the letter at a place, which may be one in the log, was sent.
func (r *restoring) underWay(s *restored, ref record.Ref) {
	if ref.Seq > 0 {
		r.under[ref] = append(r.under[ref], s)
		return
	}
	r.k.numbers.Store(max(r.k.numbers.Load(), ref.Off))
}

func (r *restoring) subscription(client, filter string, value []byte, err error) error {
	s := r.by[client]
	if s == nil || topic.CheckFilter(plain(filter)) != nil {
		return cmp.Or(err, errNobodys)
	}
	var rec record.Subscription
	if err == nil {
		rec, err = record.ParseSubscription(value)
	}
	if err != nil {
		rec = record.Subscription{QoS: 1}
	}
	end := r.k.store.End()
	for i, p := range rec.Past {
		rec.Past[i].Until, rec.Past[i].Sure = min(p.Until, end), min(p.Sure, end)
	}
	r.k.b.sessions.put(&subscription{
		s: s.session, filter: filter, qos: rec.QoS, noLocal: rec.NoLocal, retainAsPublished: rec.RetainAsPublished, noRetained: rec.NoRetained, id: rec.ID,
		born: 1, place: min(rec.Born, end), sure: min(rec.Sure, end), past: rec.Past,
	})
	return err
}

func (r *restoring) half(client, rest string, value []byte, err error) error {
	s := r.by[client]
	ref, ok := record.RefOf(rest)
	if s == nil || !ok {
		return cmp.Or(err, errNobodys)
	}
	var h record.Half
	if err == nil {
		h, err = record.ParseHalf(value)
	}
	if err != nil {
		return err
	}
	s.flights[ref] = h
	delete(s.qos1, ref)
	r.underWay(s, ref)
	switch h.State {
	case record.Released:
		s.resume(&flight{letter: letter{qos: 2, ref: ref}, id: h.ID, released: true, sent: true})
	case record.Done:
		s.out.done = append(s.out.done, &ended2{ref: ref, id: h.ID, written: true})
	}
	return nil
}

func (r *restoring) letter(client, rest string, value []byte, err error) error {
	s := r.by[client]
	n, ok := record.NumberOf(rest)
	if s == nil || !ok {
		return cmp.Or(err, errNobodys)
	}
	r.k.numbers.Store(max(r.k.numbers.Load(), n))
	l, p, perr := record.ParseLetter(value)
	if err = cmp.Or(err, perr); err != nil {
		s.lost.Add(1)
		r.erase = append(r.erase, edged.Put{Space: record.Queues, Key: record.QueueKey(client, n)})
		return err
	}
	m := messageOf(&p, string(p.Topic), l.Origin)
	m.expiry, m.at = l.Expiry, l.At
	if l.Share != "" {
		r.shared[sharedLetter{l.At, l.Share}] = true
	}
	s.queue = append(s.queue, letter{m: m, to: &grant{qos: l.QoS, ids: l.SubIDs, share: l.Share}, qos: l.QoS, retain: l.Retain, ref: record.Ref{Off: n}})
	return nil
}

// received gives the sessions what their clients have sent with QoS 2 and not released, whole or in part.
func (r *restoring) received() error {
	of := map[string][]edged.Receipt{}
	err := r.k.store.Values(edged.SpaceReceived, func(key string, value []byte, err error) error {
		receipt, ok := edged.ReceivedFrom(key, value)
		if err != nil || !ok {
			r.k.unreadable("a received publish of QoS 2", cmp.Or(err, fmt.Errorf("%q is no identity", key)))
		}
		if err == nil && ok && r.by[receipt.Client] != nil && (receipt.Missing == 0 || len(receipt.Stored) > 0) {
			of[receipt.Client] = append(of[receipt.Client], receipt)
			return nil
		}
		r.erase = append(r.erase, edged.Put{Space: edged.SpaceReceived, Key: key})
		return nil
	})
	for _, s := range r.by {
		s.in.Keep(r.k, of[s.id])
	}
	return err
}

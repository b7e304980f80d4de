package broker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"edged"
	"edged/broker/record"
	"edged/internal/topic"
)

// restoring is the sessions as they are read at the start: what is on disk, and then what the log has since.
type restoring struct {
	k    *keeping
	from uint64 // the log was held from there
	by   map[string]*restored
}

// restored is one session.
type restored struct {
	*session
	mark    record.Ref
	flights map[record.Ref]record.Half // what was under way; QoS 1 is Sent, with qos1
	qos1    map[record.Ref]bool
	queue   []queued
}

type queued struct {
	number uint32
	l      letter
}

// load reads the sessions. What cannot be read is counted and said; the rest is there.
func (k *keeping) load() error {
	k.hold = math.MaxUint64
	if k.store == nil {
		return nil
	}
	r := &restoring{k: k, by: map[string]*restored{}, from: k.store.End()}
	if c, ok := k.store.Cursor(record.Cursor); ok {
		m, err := record.ParseMarks(c.Data)
		if err != nil {
			k.unreadable("the cursor of the sessions", err)
		}
		k.marks = m
		if len(c.Need) > 0 {
			r.from, k.hold = c.Need[0].From, c.Need[0].From
		}
		if err != nil {
			k.marks.Mark = r.from // what is owed at most
		}
	}
	for _, s := range []struct {
		space string
		one   func(client, rest string, value []byte, err error) error
	}{
		{record.Sessions, r.session}, {record.Subscriptions, r.subscription}, {record.Inflight, r.half}, {record.Queues, r.letter},
	} {
		err := k.store.Values(s.space, func(key string, value []byte, err error) error {
			client, rest, _ := record.Split(key)
			if werr := s.one(client, rest, value, err); werr != nil {
				k.unreadable(fmt.Sprintf("%q of %s", key, s.space), werr)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("broker: cannot load sessions: %w", err)
		}
	}
	if err := r.received(); err != nil {
		return err
	}
	if k.hold == math.MaxUint64 && len(r.by) > 0 { // the cursor is lost
		r.from = 0
	}
	for _, s := range r.by {
		s.takeQueue()
	}
	if err := r.replay(); err != nil {
		return err
	}
	for _, s := range r.by {
		s.giveUp()
		s.out.touched = true
	}
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
	if err != nil { // it is kept for as long as possible; users with a name do not get it
		rec = record.Session{Keep: int64(r.k.b.cfg.SessionExpiry.D() / time.Second), Mark: &record.Ref{Seq: r.from}}
	}
	b, now := r.k.b, time.Now()
	s := &restored{flights: map[record.Ref]record.Half{}, qos1: map[record.Ref]bool{}, mark: record.Ref{Seq: r.k.marks.Mark}}
	s.session = b.sessions.create(client, rec.User, true)
	s.keep, s.away = time.Duration(rec.Keep)*time.Second, now.Add(-time.Duration(rec.Away)*time.Second)
	s.onDisk.text, s.onDisk.away = slices.Clone(value), time.Duration(rec.Away)*time.Second
	if rec.Mark != nil {
		s.mark = *rec.Mark
	}
	for _, f := range rec.Flights {
		s.flights[f.Ref], s.qos1[f.Ref] = record.Half{ID: f.ID}, true
	}
	s.profile.Store(b.access.profile(s.user, s.id))
	r.by[client] = s
	return err
}

func (r *restoring) subscription(client, filter string, value []byte, err error) error {
	s := r.by[client]
	if s == nil || topic.CheckFilter(plain(filter)) != nil {
		return cmp.Or(err, fmt.Errorf("it belongs to no session, or its filter is none"))
	}
	var rec record.Subscription
	if err == nil {
		rec, err = record.ParseSubscription(value)
	}
	if err != nil {
		rec = record.Subscription{QoS: 1}
	}
	r.k.b.sessions.put(&subscription{
		s: s.session, filter: filter, qos: rec.QoS, noLocal: rec.NoLocal, retainAsPublished: rec.RetainAsPublished, noRetained: rec.NoRetained, id: rec.ID,
		born: 1, place: rec.Born,
	})
	return err
}

func (r *restoring) half(client, rest string, value []byte, err error) error {
	s, ref, ok := r.by[client], record.Ref{}, false
	if ref, ok = record.RefOf(rest); s == nil || !ok {
		return cmp.Or(err, fmt.Errorf("it belongs to no session"))
	}
	var h record.Half
	if err == nil {
		h, err = record.ParseHalf(value)
	}
	if err != nil {
		return err
	}
	s.flights[ref] = h
	if ref.Seq == 0 { // its letter may be gone, but its number is in use
		r.k.numbers.Store(max(r.k.numbers.Load(), ref.Off))
	}
	switch h.State {
	case record.Released:
		s.out.resumed(&flight{letter: letter{qos: 2, ref: ref}, id: h.ID, released: true, sent: true})
	case record.Done:
		s.out.done = append(s.out.done, &ended2{ref: ref, id: h.ID, written: true})
	}
	return nil
}

func (r *restoring) letter(client, rest string, value []byte, err error) error {
	s := r.by[client]
	n, ok := record.NumberOf(rest)
	if s == nil || !ok {
		return cmp.Or(err, fmt.Errorf("it belongs to no session"))
	}
	r.k.numbers.Store(max(r.k.numbers.Load(), n))
	if err != nil {
		s.lost.Add(1)
		return err
	}
	l, p, err := record.ParseLetter(value)
	if err != nil {
		s.lost.Add(1)
		return err
	}
	m := messageOf(&p, strings.Clone(string(p.Topic)), l.Origin)
	m.expiry = l.Expiry
	s.queue = append(s.queue, queued{n, letter{m: m, to: &grant{qos: l.QoS, ids: l.SubIDs, share: l.Share}, qos: l.QoS, retain: l.Retain, ref: record.Ref{Off: n}}})
	return nil
}

// received gives the sessions what their clients have sent with QoS 2 and not released.
func (r *restoring) received() error {
	ids := map[string][]uint16{}
	err := r.k.store.Values(edged.SpaceReceived, func(key string, value []byte, err error) error {
		o, ok := edged.ReceivedFrom(key, value)
		switch {
		case err != nil || !ok: // taken again, if it is repeated
			r.k.unreadable("a received publish of QoS 2", cmp.Or(err, fmt.Errorf("%q is no identity", key)))
		case r.by[o.Client] == nil: // its session has ended
			r.k.put(edged.SpaceReceived, strings.Clone(key), nil)
		case o.Copies == 0:
			ids[o.Client] = append(ids[o.Client], o.PacketID)
		}
		return nil
	})
	for _, s := range r.by {
		s.in.Keep(r.k, ids[s.id])
	}
	return err
}

// takeQueue gives an outbox the letters that have a form of their own.
func (s *restored) takeQueue() {
	for _, q := range s.queue {
		s.take(q.l)
	}
}

// take gives an outbox a letter, where it was.
func (s *restored) take(l letter) {
	h, under := s.flights[l.ref]
	switch {
	case under && h.State != record.Sent:
		return
	case under:
		delete(s.flights, l.ref)
		if l.qos = 2; s.qos1[l.ref] {
			l.qos = 1
		}
		s.out.resumed(&flight{letter: l, id: h.ID, sent: true, size: l.size()})
	case l.ref.Seq > 0 && l.ref.Before(s.mark):
		return
	default:
		s.out.add(l)
	}
}

// giveUp counts what was under way and is nowhere any more.
func (s *restored) giveUp() {
	for ref, h := range s.flights {
		if h.State == record.Sent {
			s.lost.Add(1)
			s.out.b.keeping.unreadable(fmt.Sprintf("the message at %v, on its way to %q", ref, s.id), fmt.Errorf("it is not in the log"))
			if !s.qos1[ref] {
				s.out.b.keeping.put(record.Inflight, record.InflightKey(s.id, ref), nil)
			}
		}
	}
}

// resumed puts a delivery that was under way into the outbox.
func (o *outbox) resumed(f *flight) {
	if o.flights == nil {
		o.flights = map[uint16]*flight{}
	}
	o.number++
	f.number = o.number
	o.flights[f.id] = f
	o.grow(f.size)
}

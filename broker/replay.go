package broker

import (
	"bytes"
	"fmt"

	"edged"
	"edged/broker/record"
)

// replay reads the log from where it was held for the sessions, and gives them what is owed to them.
func (r *restoring) replay() error {
	if len(r.by) == 0 {
		return nil
	}
	for seq := r.from; ; {
		e, ok, err := r.k.store.Next(seq)
		if err != nil {
			return fmt.Errorf("broker: cannot read what waits for sessions: %w", err)
		}
		if !ok {
			return nil
		}
		seq = e.Seq + 1
		if e.Err != nil {
			r.k.unreadable(fmt.Sprint("entry ", e.Seq, " of the log"), e.Err)
			continue
		}
		if e.Block != nil {
			r.block(e.Block)
		}
	}
}

func (r *restoring) block(b *edged.Block) {
	extras := b.Extras
	for i := range b.Len() {
		var extra []byte
		if len(extras) > 0 && extras[0].Index == uint32(i) {
			extra, extras = extras[0].Data, extras[1:]
		}
		if !b.Kept(i) {
			continue
		}
		x, err := record.ParseExtra(extra)
		if err != nil {
			r.k.unreadable(fmt.Sprintf("the properties of message %d.%d", b.Seq, i), err)
		}
		r.message(&message{
			topic: b.TopicOf(i), payload: bytes.Clone(b.Payload(i)), props: bytes.Clone(x.Props), qos: b.QoS(i), retain: b.Retain(i),
			origin: x.Origin, expiry: x.Expiry, kept: true, at: edged.Pos{Seq: b.Seq, Off: uint32(i)},
		})
	}
}

// message gives a kept message to those who had not got it, and to whom it was under way.
func (r *restoring) message(m *message) {
	if m.expired() {
		return
	}
	route := r.k.b.routes.of(m.topic)
	given := map[*session]bool{}
	for _, t := range route.subs {
		g := t.all
		if m.origin != "" && m.origin == t.s.id {
			g = t.own
		}
		s := r.by[t.s.id]
		if s == nil || g == nil || g.place > m.at.Seq {
			continue
		}
		given[t.s] = true
		if qos := min(m.qos, g.qos); qos > 0 {
			s.take(letter{m: m, to: g, qos: qos, retain: m.retain && g.retainAsPublished, ref: m.at})
		}
	}
	under := false
	for _, s := range r.by { // what was under way stays so, also after its subscription has gone
		h, ok := s.flights[m.at]
		if ok && h.State == record.Sent && !given[s.session] {
			s.take(letter{m: m, to: &grant{qos: m.qos}, qos: m.qos, ref: m.at})
		}
		under = under || ok
	}
	for _, members := range route.shared {
		if under || m.at.Seq < r.k.marks.Mark || members[0].all.place > m.at.Seq {
			continue
		}
		t := r.k.b.choose(members)
		if qos := min(m.qos, t.all.qos); qos > 0 {
			t.s.out.add(letter{m: m, to: t.all, qos: qos, retain: m.retain && t.all.retainAsPublished, ref: m.at})
		}
	}
}

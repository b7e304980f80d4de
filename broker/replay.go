package broker

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"edged"
	"edged/broker/record"
	"edged/internal/topic"
)

// replay reads the log from the lowest place that is needed, and gives the sessions what is owed to them.
func (r *restoring) replay() error {
	if len(r.by) == 0 {
		return nil
	}
	from := r.k.marks.Mark
	for _, s := range r.by {
		from = min(from, s.mark.Seq)
	}
	for ref := range r.under {
		from = min(from, ref.Seq)
	}
	for seq := from; ; {
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
	extras, origins := b.Extras, b.Origins
	for i := range b.Len() {
		var extra []byte
		if len(extras) > 0 && extras[0].Index == uint32(i) {
			extra, extras = extras[0].Data, extras[1:]
		}
		publisher := ""
		if len(origins) > 0 && origins[0].Index == uint32(i) {
			publisher, origins = origins[0].Client, origins[1:]
		}
		if !b.Kept(i) {
			continue
		}
		x, err := record.ParseExtra(extra)
		if err != nil {
			r.k.unreadable(fmt.Sprintf("the properties of message %d.%d", b.Seq, i), err)
		}
		r.message(&message{
			topic: strings.Clone(b.TopicOf(i)), payload: bytes.Clone(b.Payload(i)), props: bytes.Clone(x.Props), qos: b.QoS(i), retain: b.Retain(i),
			origin: cmp.Or(x.Origin, publisher), expiry: x.Expiry, kept: true, at: edged.Pos{Seq: b.Seq, Off: uint32(i)},
		})
	}
}

// message gives a kept message to those who had not got it, and to whom it was under way. What has expired is owed to these alone.
func (r *restoring) message(m *message) {
	for _, s := range r.under[m.at] {
		s.sent2(m)
	}
	route, expired := r.k.b.routes.of(m.topic), m.expired()
	for _, t := range route.subs {
		g := t.all
		if m.origin != "" && m.origin == t.s.id {
			g = t.own
		}
		unsettled := g != nil && g.settled > m.at.Seq
		if unsettled {
			g = t.s.grantThen(m, (*subscription).qosAt)
		}
		s := r.by[t.s.id]
		if g == nil || g.place > m.at.Seq || expired && !s.owes(m.at) {
			continue
		}
		if qos := min(m.qos, g.qos); qos > 0 {
			s.take(letter{m: m, to: g, qos: qos, retain: m.retain && g.retainAsPublished, ref: m.at}, unsettled)
		}
	}
	for _, s := range r.under[m.at] { // what was under way stays so, also after its subscription has gone
		if s.owes(m.at) {
			s.take(letter{m: m, to: &grant{qos: m.qos}, qos: m.qos, ref: m.at}, false)
		}
	}
	for _, members := range route.shared {
		if !expired && m.at.Seq >= r.k.marks.Mark && !r.shared[sharedLetter{m.at, members[0].all.share}] {
			r.give(m, members)
		}
	}
}

// grantThen is what the session got of a topic when a message came: subscriptions have been made, or changed, since. qosAt is the QoS of one of them then.
// nil: nothing.
func (s *session) grantThen(m *message, qosAt func(*subscription, uint64) byte) *grant {
	var then []*subscription
	for _, sub := range s.subs {
		qos := qosAt(sub, m.at.Seq)
		if strings.HasPrefix(sub.filter, share) || sub.place > m.at.Seq || qos == 0 || sub.noLocal && m.origin == s.id || !topic.Match(sub.filter, m.topic) {
			continue
		}
		then = append(then, sub.with(qos))
	}
	if then == nil {
		return nil
	}
	return grantOf(then...)
}

// give gives a message to a member of a shared subscription, if one of them was there already.
func (r *restoring) give(m *message, members []target) {
	if !slices.ContainsFunc(members, func(t target) bool { return t.all.place <= m.at.Seq }) {
		return
	}
	t := r.k.b.choose(members)
	if qos := min(m.qos, t.all.qos); qos > 0 {
		t.s.out.putBack(letter{m: m, to: t.all, qos: qos, retain: m.retain && t.all.retainAsPublished}, false)
	}
}

package broker

import (
	"slices"
	"sync/atomic"

	"edged"
	"edged/broker/index"
	"edged/broker/record"
)

// subscription is what a session has subscribed to.
type subscription struct {
	s                 *session
	filter            string // as it was sent, with $share
	key               index.Key
	number            uint64 // no other has it, not even one that is put into its place
	qos               byte
	noLocal           bool
	retainAsPublished bool
	id                uint32 // Subscription Identifier; 0: none
	grant             *grant // what it gives if no other subscription of the session matches
	noRetained        bool   // it wants no retained messages (Retain Handling 2)
	born              uint64 // the number of changes of the routes with which it, or the one in whose place it is, was made

	// Of a session that is kept. What was taken before its place, or the place of a change, was so before that; what was taken from sure on
	// was so after it. Of what is between the two the log does not say.
	place uint64        // the end of the log when it, or the one in whose place it is, was made
	sure  uint64        // and with the commit of that; 0: nothing is known, and it was at once
	past  []record.Past // the QoS that it had before, in order
	fresh bool          // it was made, or its QoS was changed, by the commit that end is of
	end   atomic.Uint64 // the end of the log with the last attempt at its own commit; 0: there was none
}

// pastChanges is how many changes of its QoS a subscription remembers: of a message from before them, the oldest one is taken.
const pastChanges = 8

// follows has the subscription take the place of one with the same filter, or of none. Where it is as that was, nothing is known of its own commit that
// counts: the client was told of the other one. If it cannot have been, because there was no attempt yet to commit that, its own does count.
func (sub *subscription) follows(old *subscription) {
	if old == nil {
		sub.fresh = true
		return
	}
	now, end := sub.place, old.end.Load()
	was := old.record(end)
	sub.born, sub.place, sub.sure, sub.past = old.born, old.place, was.Sure, was.Past
	if sub.fresh = old.fresh && end == 0; sub.qos != old.qos {
		sub.past = append(slices.Clone(sub.past[max(0, len(sub.past)-pastChanges+1):]), record.Past{QoS: old.qos, Until: now})
		sub.fresh = true
	}
}

// record is the subscription as it is written by a commit with which the log has this end; 0 if that is not known.
func (sub *subscription) record(end uint64) record.Subscription {
	r := record.Subscription{
		QoS: sub.qos, NoLocal: sub.noLocal, RetainAsPublished: sub.retainAsPublished, NoRetained: sub.noRetained, ID: sub.id, Born: sub.place, Sure: sub.sure, Past: sub.past,
	}
	switch n := len(r.Past); {
	case !sub.fresh:
	case n > 0:
		r.Past = slices.Clone(r.Past)
		r.Past[n-1].Sure = end
	default:
		r.Sure = end
	}
	return r
}

// put has the subscription written.
func (sub *subscription) put() edged.Put {
	r := sub.record(0)
	return edged.Put{
		Space: record.Subscriptions, Key: record.SubscriptionKey(sub.s.id, sub.filter), Value: r.Append(nil),
		At: func(end uint64) []byte {
			sub.end.Store(end)
			r := sub.record(end)
			return r.Append(nil)
		},
	}
}

// qosAt is the QoS for a message at a place of the log at or after that of the subscription.
func (sub *subscription) qosAt(seq uint64) byte {
	for _, p := range sub.past {
		if seq < p.Until {
			return p.QoS
		}
	}
	return sub.qos
}

// leastAt is qosAt as far as it is sure: a message that may have been taken before the subscription was made, or its QoS was changed, has been. 0 if it was
// not there.
func (sub *subscription) leastAt(seq uint64) byte {
	if seq < sub.sure {
		return 0
	}
	for _, p := range sub.past {
		if seq < max(p.Until, p.Sure) {
			return p.QoS
		}
	}
	return sub.qos
}

// with is the subscription with another QoS, for a grant.
func (sub *subscription) with(qos byte) *subscription {
	return &subscription{
		s: sub.s, filter: sub.filter, qos: qos, noLocal: sub.noLocal, retainAsPublished: sub.retainAsPublished, id: sub.id, noRetained: sub.noRetained,
		born: sub.born, place: sub.place, sure: sub.sure, past: sub.past,
	}
}

// settled is the place of the log from which on nothing of that is in doubt, or different.
func (sub *subscription) settled() uint64 {
	at := max(sub.place, sub.sure)
	for _, p := range sub.past {
		at = max(at, p.Until, p.Sure)
	}
	return at
}

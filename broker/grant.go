package broker

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"

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
	id                uint32        // Subscription Identifier; 0: none
	grant             *grant        // what it gives if no other subscription of the session matches
	noRetained        bool          // it wants no retained messages (Retain Handling 2)
	born              uint64        // the number of changes of the routes with which it, or the one in whose place it is, was made
	place             uint64        // of a session that is kept: the end of the log then
	past              []record.Past // the QoS that it had before, in order
}

// pastChanges is how many changes of its QoS a subscription remembers: of a message from before them, the oldest one is taken.
const pastChanges = 8

// qosAt is the QoS for a message at a place of the log.
func (sub *subscription) qosAt(seq uint64) byte {
	for _, p := range sub.past {
		if seq < p.Until {
			return p.QoS
		}
	}
	return sub.qos
}

// changed is the end of the log at the last change of the QoS; 0: there was none.
func (sub *subscription) changed() uint64 {
	if n := len(sub.past); n > 0 {
		return sub.past[n-1].Until
	}
	return 0
}

// follows has the subscription take the place of one with the same filter.
func (sub *subscription) follows(old *subscription) {
	if sub.past = old.past; sub.qos != old.qos {
		sub.past = append(slices.Clone(sub.past[max(0, len(sub.past)-pastChanges+1):]), record.Past{QoS: old.qos, Until: sub.place})
	}
}

// grant is what a subscriber gets of a topic: its subscriptions that match it, in one [MQTT-3.3.5-1].
type grant struct {
	qos               byte          // the highest
	retainAsPublished bool          // one of them wants it
	ids               []uint32      // of all of them, sorted [MQTT-3.3.4-4]
	share             string        // the filter, if it is one of a shared subscription
	born              uint64        // of the oldest
	place             uint64        // likewise
	settled           uint64        // from that place of the log on it is as it is now
	wantsRetained     bool          // one of them does
	served            atomic.Uint64 // of a shared subscription: when this member was chosen last, in choices
}

func grantOf(subs ...*subscription) *grant {
	g := &grant{born: math.MaxUint64, place: math.MaxUint64}
	for _, sub := range subs {
		g.qos = max(g.qos, sub.qos)
		if len(subs) == 1 && strings.HasPrefix(sub.filter, share) {
			g.share = sub.filter
		}
		g.retainAsPublished = g.retainAsPublished || sub.retainAsPublished
		g.wantsRetained = g.wantsRetained || !sub.noRetained
		g.born, g.place, g.settled = min(g.born, sub.born), min(g.place, sub.place), max(g.settled, sub.place, sub.changed())
		if sub.id > 0 && !slices.Contains(g.ids, sub.id) {
			g.ids = append(g.ids, sub.id)
		}
	}
	slices.Sort(g.ids)
	return g
}

// targets puts the subscriptions that match a topic together by subscriber. Those of one that are shared stand for
// themselves: each brings a message of its own (MQTT 5, 4.8.2).
func targets(single []*subscription, groups [][]*subscription) (subs []target, shared [][]target) {
	bySession := map[*session][]*subscription{}
	for _, sub := range single {
		bySession[sub.s] = append(bySession[sub.s], sub)
	}
	for s, mine := range bySession {
		t := target{s: s, all: mine[0].grant}
		if len(mine) > 1 {
			t.all = grantOf(mine...)
		}
		t.own = t.all
		if local := slices.DeleteFunc(slices.Clone(mine), func(sub *subscription) bool { return sub.noLocal }); len(local) < len(mine) {
			t.own = nil
			if len(local) > 0 {
				t.own = grantOf(local...)
			}
		}
		subs = append(subs, t)
	}
	for _, members := range groups {
		var ts []target
		for _, sub := range members {
			ts = append(ts, target{sub.s, sub.grant, sub.grant})
		}
		shared = append(shared, ts)
	}
	return subs, shared
}

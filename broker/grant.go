package broker

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"
)

// grant is what a subscriber gets of a topic: its subscriptions that match it, in one [MQTT-3.3.5-1].
type grant struct {
	qos               byte          // the highest
	retainAsPublished bool          // one of them wants it
	ids               []uint32      // of all of them, sorted [MQTT-3.3.4-4]
	share             string        // the filter, if it is one of a shared subscription
	born              uint64        // of the oldest
	place             uint64        // likewise
	settled           uint64        // from that place of the log on it is surely as it is now
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
		g.born, g.place, g.settled = min(g.born, sub.born), min(g.place, sub.place), max(g.settled, sub.settled())
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

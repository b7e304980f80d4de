package batches

import (
	"slices"

	"edged"
	"edged/internal/topic"
)

// Router counts, for the ledger, which streams take a message. The committer calls it for every block that it stores; it
// knows receivers and topics only, so that it is an independent count of what the streams must come to.
type Router struct {
	plans  []*Plan
	routes map[string]*topic.Cache[[]int] // by receiver: indexes into plans
	counts []uint64
}

// NewRouter makes a router for the streams of the configuration.
func NewRouter(plans []*Plan) *Router {
	return &Router{plans: plans, routes: map[string]*topic.Cache[[]int]{}, counts: make([]uint64, len(plans))}
}

// Streams implements edged.Router.
func (r *Router) Streams() (names []string) {
	for _, p := range r.plans {
		names = append(names, p.Name)
	}
	return names
}

// Count implements edged.Router.
func (r *Router) Count(b *edged.Block, add func(stream string, messages uint64)) {
	per := make([]uint64, len(b.Topics))
	for _, t := range b.Topic {
		per[t]++
	}
	clear(r.counts)
	for t, name := range b.Topics {
		for _, i := range r.route(b.Receiver, name) {
			r.counts[i] += per[t]
		}
	}
	for i, n := range r.counts {
		if n > 0 {
			add(r.plans[i].Name, n)
		}
	}
}

func (r *Router) route(receiver, name string) []int {
	topics := r.routes[receiver]
	if topics == nil {
		topics = &topic.Cache[[]int]{}
		r.routes[receiver] = topics
	}
	if to, ok := topics.Get(name); ok {
		return to
	}
	return topics.Put(name, func(name string) (to []int) {
		for i, p := range r.plans {
			if p.Takes(receiver, name) {
				to = append(to, i)
			}
		}
		return to
	})
}

// Takes reports whether a stream takes messages of this receiver and topic.
func (p *Plan) Takes(receiver, topic string) bool {
	return slices.Contains(p.own, receiver) && p.matches(topic) || p.join.takes(receiver, topic)
}

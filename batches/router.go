package batches

import (
	"slices"

	"edged"
	"edged/internal/topic"
)

// Router counts, for the ledger, which streams take a message. The committer calls it for every block that it stores; it
// knows receivers and topics only, so that it is an independent count of what the streams must come to. It remembers no topics.
type Router struct {
	plans  []*Plan
	routes map[string]*takers // by receiver
	counts []uint64
	last   []int    // by plan: the topic that was counted last, from 1 on
	per    []uint64 // messages by topic
	found  []int
}

// takers are the streams that take messages of a receiver: indexes into plans.
type takers struct {
	all []int              // whatever their topics are
	by  topic.Filters[int] // a stream can have several that match
}

// NewRouter makes a router for the streams of the configuration.
func NewRouter(plans []*Plan) *Router {
	return &Router{plans: plans, routes: map[string]*takers{}, counts: make([]uint64, len(plans)), last: make([]int, len(plans))}
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
	r.per = slices.Grow(r.per[:0], len(b.Topics))[:len(b.Topics)]
	clear(r.per)
	for _, t := range b.Topic {
		r.per[t]++
	}
	clear(r.counts)
	clear(r.last)
	to := r.of(b.Receiver)
	for t, name := range b.Topics {
		r.found = to.by.Append(append(r.found[:0], to.all...), name)
		for _, i := range r.found {
			if r.last[i] <= t {
				r.last[i] = t + 1
				r.counts[i] += r.per[t]
			}
		}
	}
	for i, n := range r.counts {
		if n > 0 {
			add(r.plans[i].Name, n)
		}
	}
}

// of finds who takes messages of a receiver.
func (r *Router) of(receiver string) *takers {
	if to := r.routes[receiver]; to != nil {
		return to
	}
	to := &takers{}
	for i, p := range r.plans {
		if slices.Contains(p.own, receiver) {
			to.add(i, p.topics)
		}
		if j := p.join; j != nil && j.other == receiver {
			to.add(i, j.topics)
		}
	}
	r.routes[receiver] = to
	return to
}

func (to *takers) add(plan int, filters []string) {
	if len(filters) == 0 {
		to.all = append(to.all, plan)
	}
	for _, f := range filters {
		to.by.Add(f, plan)
	}
}

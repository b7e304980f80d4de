package broker

import (
	"strings"
	"sync"
	"sync/atomic"

	"edged"
	"edged/internal/topic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// maxRoutes bounds the cache of routes. Past it, it begins again.
const maxRoutes = 10_000

// route is what a topic means: whether it is one, who receives it, who subscribes to it.
type route struct {
	generation uint64
	wrong      error // it cannot be published to
	to         []edged.Handler
	subs       map[string]packets.Subscription // by client; not changed
	shared     bool                            // subs must be worked out for each message
}

// wanted reports whether anybody subscribes. A stale yes is harmless.
func (r *route) wanted() bool { return len(r.subs) > 0 || r.shared }

// routes keeps the routes of recent topics. Every change of who wants what raises the generation after it was made; a
// route of an older generation is worked out again.
type routes struct {
	srv       *mqtt.Server
	maxLevels int

	generation atomic.Uint64
	parents    atomic.Bool // somebody has subscribed to a filter that ends in +/#: see parentsOf

	mu       sync.RWMutex
	byTopic  map[string]*route
	attached []*attachment
}

type attachment struct {
	filters []string
	h       edged.Handler
}

func (rs *routes) changed() { rs.generation.Add(1) }

// of returns the route of a topic. The topic is not kept.
func (rs *routes) of(name string) *route {
	g := rs.generation.Load()
	rs.mu.RLock()
	r := rs.byTopic[name]
	rs.mu.RUnlock()
	if r != nil && r.generation == g {
		return r
	}
	return rs.find(name, g)
}

func (rs *routes) find(name string, generation uint64) *route {
	r := &route{generation: generation, wrong: rs.check(name)}
	if r.wrong == nil {
		s := rs.srv.Topics.Subscribers(name)
		r.subs, r.shared = s.Subscriptions, len(s.Shared) > 0
		if rs.parents.Load() {
			rs.parentsOf(name, r.subs)
		}
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r.wrong == nil {
		for _, a := range rs.attached {
			if a.wants(name) {
				r.to = append(r.to, a.h)
			}
		}
	}
	if rs.byTopic == nil || len(rs.byTopic) >= maxRoutes {
		rs.byTopic = map[string]*route{}
	}
	rs.byTopic[strings.Clone(name)] = r
	return r
}

func (a *attachment) wants(name string) bool {
	for _, f := range a.filters {
		if topic.Match(f, name) {
			return true
		}
	}
	return false
}

// check returns what is wrong with a topic to publish to.
func (rs *routes) check(name string) error {
	if strings.Count(name, "/") >= rs.maxLevels {
		return errLevels
	}
	if err := topic.CheckName(name); err != nil {
		return err
	}
	if !mqtt.IsValidFilter(name, true) {
		return errReserved // $SYS, $share
	}
	return nil
}

// parentsOf adds the subscribers that the library's index misses: a/+/# also matches a/b [MQTT-4.7.1-2].
func (rs *routes) parentsOf(name string, subs map[string]packets.Subscription) {
	for id, cl := range rs.srv.Clients.GetAll() {
		for filter, sub := range cl.State.Subscriptions.GetAll() {
			parent, ok := strings.CutSuffix(filter, "/#")
			if !ok || !strings.HasSuffix(parent, "+") || !topic.Match(parent, name) {
				continue
			}
			if other, ok := subs[id]; ok {
				sub = other.Merge(sub)
			}
			subs[id] = sub
		}
	}
}

// attach adds a receiver; the returned function takes it away again.
func (rs *routes) attach(filters []string, h edged.Handler) (detach func()) {
	a := &attachment{filters, h}
	rs.mu.Lock()
	rs.attached = append(rs.attached, a)
	rs.mu.Unlock()
	rs.changed()
	return func() {
		rs.mu.Lock()
		for i := range rs.attached {
			if rs.attached[i] == a {
				rs.attached = append(rs.attached[:i:i], rs.attached[i+1:]...)
				break
			}
		}
		rs.mu.Unlock()
		rs.changed()
	}
}

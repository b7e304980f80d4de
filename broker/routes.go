package broker

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"edged"
	"edged/broker/acl"
	"edged/broker/index"
	"edged/broker/intake"
	"edged/broker/record"
	"edged/internal/topic"
)

var (
	errLevels   = errors.New("the topic has more levels than max_topic_levels allows")
	errLong     = errors.New("the topic is longer than max_topic_length allows")
	errReserved = errors.New("the topic is reserved for the broker")
)

// Bounds of the cache of routes, in topics and in bytes. Past one of them it begins again.
const (
	maxRoutes     = 10_000
	maxRouteBytes = 4 << 20
)

// route is what a topic means: whether it is one, who receives it, who subscribes to it, who may publish to it. It is not
// changed, except for what it remembers about permissions.
type route struct {
	generation uint64
	name       string
	wrong      error // it cannot be published to
	malformed  bool  // because it is no topic name at all
	to         []edged.Handler
	batch      edged.BatchHandler // the only one of to, if it takes several at once
	sources    []string           // of each of keepers, under which name the log has what it takes for good; "": it has not
	keep       bool               // a session that is kept wants its messages of QoS 1 and 2 from the log
	keepers    []edged.Handler    // who takes those: to, and the broker's own source if no other is durable
	keeper     int                // the one of them whose copy is read
	names      bool               // and who published it is asked for
	subs       []target
	shared     [][]target // of each shared subscription one is chosen for each message

	writer atomic.Pointer[verdict] // what acl_file said of the last client that asked
}

// target is a subscriber of a topic.
type target struct {
	s   *session
	all *grant // what it gets
	own *grant // what it gets of what it published itself; nil: nothing [MQTT-3.8.3-3]
}

// verdict is what acl_file says of a client and a topic.
type verdict struct {
	profile *acl.Profile
	may     bool
}

// wanted reports whether anybody subscribes. A stale yes is harmless.
func (r *route) wanted() bool { return len(r.subs)+len(r.shared) > 0 }

// mayWrite asks acl_file, once for each client and topic as long as it is the same client that publishes to it.
func (r *route) mayWrite(p *acl.Profile) bool {
	if p == nil {
		return true
	}
	v := r.writer.Load()
	if v == nil || v.profile != p {
		v = &verdict{p, p.MayWrite(r.name)}
		r.writer.Store(v)
	}
	return v.may
}

// routes keeps the routes of recent topics. Every change of who wants what, and of who may what, is told after it was made, and
// before its client hears of it; the routes that it concerns are worked out again. A route that was being worked out
// meanwhile is used once, and not kept.
type routes struct {
	subs      *index.Index[*subscription]
	maxLevels int
	maxLength int

	generation atomic.Uint64 // of all routes: raised when a change concerns many
	changes    atomic.Uint64

	own *attachment // takes what only sessions want; nil: nothing is kept

	mu       sync.RWMutex
	byTopic  map[string]*route
	bytes    int
	attached []*attachment
}

// lookedThrough is the number of routes that are looked through for those that one filter concerns; with more of them, all are
// worked out again: a client that subscribes and unsubscribes without end shall cost no more than that.
const lookedThrough = 1000

// changed is told when a subscription to a filter, $share taken off, was made or has ended.
func (rs *routes) changed(filter string) {
	rs.changes.Add(1)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.byTopic) > lookedThrough {
		rs.generation.Add(1)
		return
	}
	for name, r := range rs.byTopic {
		if topic.Match(filter, name) {
			rs.bytes -= r.size()
			delete(rs.byTopic, name)
		}
	}
}

// allChanged is told when something else has changed.
func (rs *routes) allChanged() {
	rs.changes.Add(1)
	rs.generation.Add(1)
}

type attachment struct {
	filters []string
	h       edged.Handler
	source  string // the name of the receiver whose blocks have what it takes; "": they are not in the log, or not for good
	whole   bool   // as it came, so that sessions can read it there
}

// of returns the route of a topic.
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

// ofBytes is of, without a string being made of a topic that is known.
func (rs *routes) ofBytes(name []byte) *route {
	g := rs.generation.Load()
	rs.mu.RLock()
	r := rs.byTopic[string(name)]
	rs.mu.RUnlock()
	if r != nil && r.generation == g {
		return r
	}
	return rs.find(string(name), g)
}

func (rs *routes) find(name string, generation uint64) *route {
	changes := rs.changes.Load()
	r := &route{generation: generation, name: strings.Clone(name), wrong: rs.check(name)}
	switch r.wrong {
	case nil, errReserved: // the broker itself publishes to $SYS
		r.subs, r.shared = targets(rs.subs.Match(name))
		r.mayRead()
	default:
		r.malformed = topic.CheckName(name) != nil
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r.wrong == nil {
		r.receivers(rs)
	}
	if changes != rs.changes.Load() {
		return r
	}
	size := r.size()
	if rs.byTopic == nil || len(rs.byTopic) >= maxRoutes || rs.bytes+size > maxRouteBytes {
		rs.byTopic, rs.bytes = map[string]*route{}, 0
	}
	if size > maxRouteBytes {
		return r
	}
	if old, known := rs.byTopic[name]; known {
		rs.bytes -= old.size()
	}
	rs.bytes += size
	rs.byTopic[r.name] = r
	return r
}

// receivers finds who takes the messages, and whose copy is kept. It is called with rs.mu.
func (r *route) receivers(rs *routes) {
	r.keeper = -1
	for _, a := range rs.attached {
		if a.wants(r.name) {
			if a.source != "" && a.whole && r.keeper < 0 {
				r.keeper = len(r.to)
			}
			r.to, r.sources = append(r.to, a.h), append(r.sources, a.source)
		}
	}
	if len(r.to) == 1 {
		r.batch, _ = r.to[0].(edged.BatchHandler)
	}
	if rs.own == nil {
		return
	}
	if r.keepers = r.to; r.keeper < 0 {
		r.keeper, r.keepers, r.sources = len(r.to), append(r.to[:len(r.to):len(r.to)], rs.own.h), append(r.sources, rs.own.source)
	}
	for _, t := range r.subs {
		r.keep = r.keep || t.s.kept && t.all.qos > 0
		r.names = r.names || t.s.kept && t.own != t.all
	}
	for _, members := range r.shared {
		for _, t := range members {
			r.keep = r.keep || t.s.kept && t.all.qos > 0
		}
	}
}

// keepIn has a publish kept for sessions, if one wants it and it has QoS 1 or 2: then b, to which the extra is appended, goes with it.
func (r *route) keepIn(p *intake.Publish, x record.Extra, b []byte) []byte {
	if p.QoS == 0 || !r.keep {
		return b
	}
	if !r.names {
		x.Origin = ""
	}
	b = x.Append(b)
	p.To, p.Keeper, p.Keep, p.Extra = r.keepers, r.keeper, true, b
	return b
}

// size is what a route takes in memory, about.
func (r *route) size() int {
	n := len(r.subs)
	for _, members := range r.shared {
		n += 1 + len(members)
	}
	return 256 + len(r.name) + 48*n
}

// mayRead leaves those out who may not read the topic.
func (r *route) mayRead() {
	left := func(ts []target) (out []target) {
		for _, t := range ts {
			if t.s.profile.Load().MayRead(r.name) {
				out = append(out, t)
			}
		}
		return out
	}
	r.subs = left(r.subs)
	var shared [][]target
	for _, members := range r.shared {
		if members = left(members); len(members) > 0 {
			shared = append(shared, members)
		}
	}
	r.shared = shared
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
	switch {
	case len(name) > rs.maxLength:
		return errLong
	case strings.Count(name, "/") >= rs.maxLevels:
		return errLevels
	}
	if err := topic.CheckName(name); err != nil {
		return err
	}
	if topic.Level(name, 0) == "$SYS" || index.Reserved(name) {
		return errReserved
	}
	return nil
}

// attach adds a receiver; the returned function takes it away again.
func (rs *routes) attach(a *attachment) (detach func()) {
	rs.mu.Lock()
	rs.attached = append(rs.attached, a)
	rs.mu.Unlock()
	rs.allChanged()
	return rs.detacher(a)
}

// reattach puts another attachment of a receiver in the place of the one that it has.
func (rs *routes) reattach(a *attachment) (detach func()) {
	rs.mu.Lock()
	at := slices.IndexFunc(rs.attached, func(o *attachment) bool { return o.h == a.h })
	if rs.attached = slices.Clone(rs.attached); at >= 0 {
		rs.attached[at] = a
	} else {
		rs.attached = append(rs.attached, a)
	}
	rs.mu.Unlock()
	rs.allChanged()
	return rs.detacher(a)
}

func (rs *routes) detacher(a *attachment) func() {
	return func() {
		rs.mu.Lock()
		for i := range rs.attached {
			if rs.attached[i] == a {
				rs.attached = append(rs.attached[:i:i], rs.attached[i+1:]...)
				break
			}
		}
		rs.mu.Unlock()
		rs.allChanged()
	}
}

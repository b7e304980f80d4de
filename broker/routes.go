package broker

import (
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"edged"
	"edged/broker/acl"
	"edged/broker/index"
	"edged/internal/topic"
)

var (
	errLevels   = errors.New("the topic has more levels than max_topic_levels allows")
	errLong     = errors.New("the topic is longer than max_topic_length allows")
	errReserved = errors.New("the topic is reserved for the broker")
)

// route is what a topic means: whether it is one, who gets its messages, who may publish to it. It is not
// changed, except for what it remembers about permissions, and whether it was used.
type route struct {
	*circle
	name    string
	changes uint64                  // that there had been
	writer  atomic.Pointer[verdict] // what acl_file said of the last client that asked
	used    atomic.Bool             // since recent looked
}

// verdict is what acl_file says of a client and a topic.
type verdict struct {
	profile *acl.Profile
	may     bool
}

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

// routes says what topics mean. Every change of who wants what, and of who may what, is told after it was made, and
// before its client hears of it: then all routes are worked out again when they are asked for. A route that was being worked out
// meanwhile is used once.
type routes struct {
	subs      *index.Index[*subscription]
	maxLevels int
	maxLength int

	changes atomic.Uint64
	seed    maphash.Seed
	recent  recent

	own      *attachment                   // takes what only sessions want; nil: nothing is kept
	attached atomic.Pointer[[]*attachment] // nobody changes the list; it is replaced with mu
	latest   atomic.Pointer[circle]        // most topics have the same as the one before

	mu      sync.RWMutex
	circles circles
	last    uint64 // number of an attachment
}

// changed is told when a subscription was made or has ended, or something else has changed that routes depend on.
func (rs *routes) changed() { rs.changes.Add(1) }

type attachment struct {
	number  uint64 // no other has it
	filters []string
	h       edged.Handler
	source  string // the name of the receiver whose blocks have what it takes; "": they are not in the log, or not for good
	whole   bool   // as it came, so that sessions can read it there
}

// of returns the route of a topic.
func (rs *routes) of(name string) *route {
	changes, hash := rs.changes.Load(), maphash.String(rs.seed, name)
	if r := rs.recent.get(hash); r != nil && r.changes == changes && r.name == name {
		r.use()
		return r
	}
	return rs.find(strings.Clone(name), hash, changes, new(route))
}

// ofBytes is of, without a string being made of a topic that is known. It may put the route into room: then that is what it returns.
func (rs *routes) ofBytes(name []byte, room *route) *route {
	changes, hash := rs.changes.Load(), maphash.Bytes(rs.seed, name)
	if r := rs.recent.get(hash); r != nil && r.changes == changes && r.name == string(name) {
		r.use()
		return r
	}
	return rs.find(string(name), hash, changes, room)
}

// find works out the route of a topic, in room unless it is kept. It keeps the name. If there is a change meanwhile, the route is out of date when it is ready.
func (rs *routes) find(name string, hash, changes uint64, room *route) *route {
	r, way := room, rs.recent.room(hash, name, changes)
	if way >= 0 {
		r = new(route)
	}
	r.name, r.changes = name, changes
	r.writer.Store(nil)
	switch wrong := rs.check(name); wrong {
	case nil, errReserved: // the broker itself publishes to $SYS
		r.circle = rs.circleOf(name, wrong, changes)
	default:
		r.circle = &circle{wrong: wrong, malformed: topic.CheckName(name) != nil}
	}
	if way >= 0 {
		rs.recent.put(hash, way, r)
	}
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
	levels, plain := 1, name != "" && name[0] != '$'
	for i := range len(name) {
		switch c := name[i]; {
		case c == '/':
			levels++
		case c == '+', c == '#', c == 0, c >= utf8.RuneSelf:
			plain = false
		}
	}
	switch {
	case len(name) > rs.maxLength:
		return errLong
	case levels > rs.maxLevels:
		return errLevels
	case plain:
		return nil
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
	return rs.replace(a, func(o *attachment) bool { return false })
}

// reattach puts another attachment of a receiver in the place of the one that it has.
func (rs *routes) reattach(a *attachment) (detach func()) {
	return rs.replace(a, func(o *attachment) bool { return o.h == a.h })
}

// replace puts an attachment in the place of another, or behind all.
func (rs *routes) replace(a *attachment, other func(*attachment) bool) (detach func()) {
	rs.attaching(func(all []*attachment) []*attachment {
		rs.last++
		a.number = rs.last
		if at := slices.IndexFunc(all, other); at >= 0 {
			all[at] = a
			return all
		}
		return append(all, a)
	})
	return func() {
		rs.attaching(func(all []*attachment) []*attachment {
			return slices.DeleteFunc(all, func(o *attachment) bool { return o == a })
		})
	}
}

// attaching changes the list of attachments.
func (rs *routes) attaching(change func(all []*attachment) []*attachment) {
	rs.mu.Lock()
	var all []*attachment
	if now := rs.attached.Load(); now != nil {
		all = slices.Clone(*now)
	}
	all = change(all)
	rs.attached.Store(&all)
	rs.mu.Unlock()
	rs.changed()
}

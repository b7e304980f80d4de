// Package index finds the subscriptions that match a topic. The tree is the MQTT library's (mochi-mqtt); nothing else of the
// library is used, and it is used in a way in which its known faults do not count:
//
//   - it merges the subscriptions of a client, and gets No Local and Retain As Published wrong: here each subscription has a key
//     of its own, and whoever asks merges;
//   - it does not let a/+/# match a/b [MQTT-4.7.1-2]: such a filter is put in twice;
//   - it lets shared subscriptions that begin with a wildcard match $-topics [MQTT-4.7.2-1]: those are left out.
//
// What is put in must be valid (topic.CheckFilter), and a first level that is $share in other letters is not (Reserved): the
// library's tree takes it for $share, and is not defended against anything.
package index

import (
	"strconv"
	"strings"
	"sync"

	"edged/internal/topic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Index holds subscriptions of type S. Its methods can be called from any goroutine.
type Index[S any] struct {
	mu    sync.RWMutex
	tree  *mqtt.TopicsIndex
	byKey map[string]entry[S]
	last  uint64
}

type entry[S any] struct {
	s      S
	filter string
}

// Reserved reports whether the first level of a topic or filter is $share, in whatever letters.
func Reserved(filter string) bool { return strings.EqualFold(topic.Level(filter, 0), "$share") }

// Key names a subscription in the index.
type Key string

// New makes an empty index.
func New[S any]() *Index[S] {
	return &Index[S]{tree: mqtt.NewTopicsIndex(), byKey: map[string]entry[S]{}}
}

// Add puts a subscription in. filter may be one of a shared subscription ($share/GROUP/FILTER).
func (x *Index[S]) Add(filter string, s S) Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last++
	key := strconv.FormatUint(x.last, 36)
	x.byKey[key] = entry[S]{s, filter}
	for _, f := range entries(filter) {
		x.tree.Subscribe(key, packets.Subscription{Filter: f})
	}
	return Key(key)
}

// Remove takes a subscription out.
func (x *Index[S]) Remove(filter string, k Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.byKey, string(k))
	for _, f := range entries(filter) {
		x.tree.Unsubscribe(f, string(k))
	}
}

// entries are the filters that stand for one in the tree.
func entries(filter string) []string {
	if parent, ok := strings.CutSuffix(filter, "/#"); ok && (parent == "+" || strings.HasSuffix(parent, "/+")) {
		return []string{filter, parent}
	}
	return []string{filter}
}

// wildFirst reports whether the filter behind $share/GROUP/ begins with a wildcard.
func wildFirst(shared string) bool {
	parts := strings.SplitN(shared, "/", 3)
	return len(parts) == 3 && parts[2] != "" && (parts[2][0] == '+' || parts[2][0] == '#')
}

// Match returns the subscriptions that match a topic name, and the members of each shared subscription that does.
func (x *Index[S]) Match(name string) (single []S, shared map[string][]S) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := x.tree.Subscribers(name)
	for key := range found.Subscriptions {
		single = append(single, x.byKey[key].s)
	}
	for filter, members := range found.Shared {
		if name[0] == '$' && wildFirst(filter) {
			continue
		}
		if shared == nil {
			shared = map[string][]S{}
		}
		for key := range members { // by their own filter: the tree has some under another one too
			e := x.byKey[key]
			shared[e.filter] = append(shared[e.filter], e.s)
		}
	}
	return single, shared
}

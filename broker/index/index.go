// Package index finds the subscriptions that match a topic. The tree is the MQTT library's (mochi-mqtt); nothing else of the
// library is used, and it is used in a way in which its known faults do not count:
//
//   - it merges the subscriptions of a client, and gets No Local and Retain As Published wrong: here each subscription has a key
//     of its own, and whoever asks merges;
//   - it does not let a/+/# match a/b [MQTT-4.7.1-2]: such a filter is put in twice;
//   - it lets shared subscriptions that begin with a wildcard match $-topics [MQTT-4.7.2-1]: those are left out.
//
// What is put in must be valid (topic.CheckFilter): the library's tree is not defended against anything else.
package index

import (
	"strconv"
	"strings"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Index holds subscriptions of type S. Its methods can be called from any goroutine.
type Index[S any] struct {
	mu    sync.RWMutex
	tree  *mqtt.TopicsIndex
	byKey map[string]S
	last  uint64
}

// Key names a subscription in the index.
type Key string

// New makes an empty index.
func New[S any]() *Index[S] {
	return &Index[S]{tree: mqtt.NewTopicsIndex(), byKey: map[string]S{}}
}

// Add puts a subscription in. filter may be one of a shared subscription ($share/GROUP/FILTER).
func (x *Index[S]) Add(filter string, s S) Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last++
	key := strconv.FormatUint(x.last, 36)
	x.byKey[key] = s
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
	return parts[2] != "" && (parts[2][0] == '+' || parts[2][0] == '#')
}

// Match returns the subscriptions that match a topic name, and the members of each shared subscription that does.
func (x *Index[S]) Match(topic string) (single []S, shared map[string][]S) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := x.tree.Subscribers(topic)
	for key := range found.Subscriptions {
		single = append(single, x.byKey[key])
	}
	for filter, members := range found.Shared {
		if topic[0] == '$' && wildFirst(filter) {
			continue
		}
		if shared == nil {
			shared = map[string][]S{}
		}
		for key := range members {
			shared[filter] = append(shared[filter], x.byKey[key])
		}
	}
	return single, shared
}

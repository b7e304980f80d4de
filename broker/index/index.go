// Package index finds the subscriptions that match a topic.
package index

import (
	"strings"
	"sync"
	"sync/atomic"

	"edged/internal/topic"
)

// Index holds subscriptions of type S. Its methods can be called from any goroutine.
type Index[S any] struct {
	held    atomic.Int64 // subscriptions: if there are none, nobody looks
	mu      sync.RWMutex
	singles topic.Tree[Key]
	shared  topic.Tree[Key] // by what stands behind $share/GROUP/
	byKey   map[Key]entry[S]
	last    Key
}

type entry[S any] struct {
	s      S
	filter string
}

// Reserved reports whether the first level of a topic or filter is $share, in whatever letters.
func Reserved(filter string) bool { return strings.EqualFold(topic.Level(filter, 0), "$share") }

// Key names a subscription in the index. It is never given a second time.
type Key uint64

// New makes an empty index.
func New[S any]() *Index[S] {
	return &Index[S]{byKey: map[Key]entry[S]{}}
}

// Add puts a subscription in. filter, which is valid (topic.CheckFilter), may be one of a shared subscription ($share/GROUP/FILTER).
func (x *Index[S]) Add(filter string, s S) Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last++
	x.held.Add(1)
	x.byKey[x.last] = entry[S]{s, filter}
	tree, f := x.tree(filter)
	tree.Add(f, x.last)
	return x.last
}

// Remove takes a subscription out.
func (x *Index[S]) Remove(filter string, k Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.byKey[k]; !ok {
		return
	}
	delete(x.byKey, k)
	x.held.Add(-1)
	tree, f := x.tree(filter)
	tree.Remove(f, k)
}

// tree is where a filter stands, and as what.
func (x *Index[S]) tree(filter string) (tree *topic.Tree[Key], f string) {
	if behind, ok := strings.CutPrefix(filter, "$share/"); ok {
		if _, f, ok = strings.Cut(behind, "/"); ok {
			return &x.shared, f
		}
	}
	return &x.singles, filter
}

// Match returns the subscriptions that match a topic name, and the members of each shared subscription that does. The order depends on what was
// added and removed only. If nothing matches, it allocates nothing.
func (x *Index[S]) Match(name string) (single []S, shared [][]S) {
	if x.held.Load() == 0 {
		return nil, nil
	}
	var room [16]Key
	x.mu.RLock()
	defer x.mu.RUnlock()
	if found := x.singles.Append(room[:0], name); len(found) > 0 {
		single = make([]S, len(found))
		for i, k := range found {
			single[i] = x.byKey[k].s
		}
	}
	found := x.shared.Append(room[:0], name)
	if len(found) == 0 {
		return single, nil
	}
	groups := map[string]int{}
	for _, k := range found {
		e := x.byKey[k]
		g, ok := groups[e.filter]
		if !ok {
			g = len(shared)
			groups[e.filter], shared = g, append(shared, nil)
		}
		shared[g] = append(shared[g], e.s)
	}
	return single, shared
}
